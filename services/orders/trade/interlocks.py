"""Interlocks: what must be clear before a paid order may be printed, and what follows when it is.

One invariant: a released order has no interlock. Pure; the store keeps the rows.
"""

from dataclasses import replace
from datetime import datetime
from functools import partial

from contracts.orders import OrderHeld, OrderReleased, OrderState
from services.orders.trade.domain import Lock, LockKind, Order, Outcome, envelope, raised


def on_payment(order: Order) -> Outcome:
    """Lock an order that was just paid until its address is checked (capability O2)."""
    return Outcome(_with(order, Lock(LockKind.ADDRESS_UNVERIFIED, order.id)))


def set_lock(order: Order, lock: Lock, *, at: datetime) -> Outcome:
    """Set a lock; takes the release of an order back. Printed and closed orders are past it."""
    if order.state in {OrderState.PRINTED, OrderState.CLOSED} or lock in order.locks:
        return Outcome(order)
    locked = _with(order, lock)
    if order.state is not OrderState.RELEASED:
        return Outcome(locked)
    held = replace(raised(locked), state=OrderState.PAID)
    event = OrderHeld(**envelope(held, OrderHeld, at), reason=lock.kind.value)
    return Outcome(held, (event,))


def clear_lock(order: Order, lock: Lock, *, at: datetime) -> Outcome:
    """Clear a lock; the last one releases a paid order."""
    cleared = replace(order, locks=order.locks - {lock})
    return Outcome(cleared).then(partial(release_if_clear, at=at))


def release_if_clear(order: Order, *, at: datetime) -> Outcome:
    """Release a paid order on which no lock is left; anything else stays as it is."""
    if order.state is not OrderState.PAID or order.locks:
        return Outcome(order)
    released = replace(raised(order), state=OrderState.RELEASED)
    return Outcome(released, (OrderReleased(**envelope(released, OrderReleased, at)),))


def _with(order: Order, lock: Lock) -> Order:
    return replace(order, locks=order.locks | {lock})
