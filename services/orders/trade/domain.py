"""What may happen to an order: facts in, the order and its events out.

Pure: no session, no clock, no bus. Which interlocks arise and when they release an order stands in
`interlocks`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypedDict

from contracts.base import rfc3339
from contracts.orders import (
    AddressResult,
    Line,
    OrderAddressChecked,
    OrderClosed,
    OrderEvent,
    OrderPaid,
    OrderPlaced,
    OrderPrinted,
    OrderRemarked,
    OrderState,
)
from contracts.people import OrderId, PersonId, ShopId
from kit.errors import Conflict
from kit.ids import derived_id

ADDRESS_ATTEMPTS: Final = 2
"""Times a buyer is asked about the address; then it ships to the one given at payment."""

OPEN_STATES: Final = frozenset({OrderState.PLACED, OrderState.PAID, OrderState.RELEASED})
"""States that an order can still be closed from; a printed label is on its way to the courier."""


class LockKind(StrEnum):
    """What can keep an order from being printed."""

    ADDRESS_UNVERIFIED = "address_unverified"
    REFUND_OPEN = "refund_open"


@dataclass(frozen=True, slots=True)
class Lock:
    """One interlock that is set. `ref` tells locks of one kind apart: the case, or the order."""

    kind: LockKind
    ref: str


@dataclass(frozen=True, slots=True)
class Order:
    """The facts that rules decide on. `version` rises by one with every event."""

    id: OrderId
    shop_id: ShopId
    buyer_id: PersonId
    state: OrderState
    version: int
    paid_fen: int = 0
    refunded_fen: int = 0
    address_attempts: int = 0
    ask_again_at: datetime | None = None
    locks: frozenset[Lock] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The order after a rule, and what to tell the world. No events: nothing changed."""

    order: Order
    events: tuple[OrderEvent, ...] = ()

    def then(self, rule: Callable[[Order], "Outcome"]) -> "Outcome":
        """Apply another rule to the result and keep the events of both, in order."""
        following = rule(self.order)
        return Outcome(following.order, self.events + following.events)


class IllegalTransition(Conflict):
    """The order's state forbids the command."""

    slug, title = "illegal_transition", "The order's state forbids this"


class TooEarly(Conflict):
    """The buyer was asked a moment ago and gets his time to answer; `at` says until when."""

    slug, title = "too_early", "The buyer still has time to answer"


class Interlocked(Conflict):
    """Something keeps the order from being printed; `interlocks` names it."""

    slug, title = "interlocked", "The order is interlocked"


class OrderDiffers(Conflict):
    """The shop tells other facts of the same order than before."""

    slug, title = "order_differs", "The order is known with other facts"


class Envelope(TypedDict):
    """The fields that every order event shares."""

    id: str
    time: datetime
    shop_id: ShopId
    order_id: OrderId
    buyer_id: PersonId
    version: int


def envelope(order: Order, kind: type[OrderEvent], at: datetime) -> Envelope:
    """Return the shared fields of an event that `order`, already changed, has caused.

    The id is derived: an order has one event per version, however often it is told.
    """
    return Envelope(
        id=derived_id(kind.type, order.id, str(order.version)),
        time=at,
        shop_id=order.shop_id,
        order_id=order.id,
        buyer_id=order.buyer_id,
        version=order.version,
    )


def raised(order: Order) -> Order:
    """Return the order one version on."""
    return replace(order, version=order.version + 1)


def place(
    order: Order, *, external_id: str, lines: Iterable[Line], total_fen: int, at: datetime
) -> Outcome:
    """Announce a new order; `order` is at version 1 and placed."""
    event = OrderPlaced(
        **envelope(order, OrderPlaced, at),
        external_id=external_id,
        lines=tuple(lines),
        total_fen=total_fen,
    )
    return Outcome(order, (event,))


def pay(
    order: Order, *, external_id: str, paid_fen: int, paid_at: datetime, at: datetime
) -> Outcome:
    """Record the payment. A repeat with the same amount changes nothing; another amount raises."""
    if order.state is OrderState.PLACED:
        paid = replace(raised(order), state=OrderState.PAID, paid_fen=paid_fen)
        event = OrderPaid(
            **envelope(paid, OrderPaid, at),
            external_id=external_id,
            paid_fen=paid_fen,
            paid_at=paid_at,
        )
        return Outcome(paid, (event,))
    if order.paid_fen == paid_fen:
        return Outcome(order)
    if order.paid_fen:
        raise OrderDiffers("The order was paid with another amount.")
    raise IllegalTransition("The order was closed before it was paid.", state=order.state)


def is_check_open(order: Order) -> bool:
    """Tell whether the buyer's word about the address is still wanted."""
    return order.state is OrderState.PAID and _unverified(order) in order.locks


def check_address(
    order: Order, result: AddressResult, *, by: PersonId, at: datetime, again_after: timedelta
) -> Outcome:
    """Record how asking the buyer about the address ended.

    The address may be checked once per order; `NO_ANSWER` counts as final at the last of
    `ADDRESS_ATTEMPTS`, and two of them lie at least `again_after` apart: two clicks are no silence.
    """
    if not is_check_open(order):
        raise IllegalTransition("No address check is open on this order.", state=order.state)
    silent = result is AddressResult.NO_ANSWER
    if silent and order.ask_again_at is not None and at < order.ask_again_at:
        raise TooEarly("The buyer is asked again later.", at=rfc3339(order.ask_again_at))
    attempts = order.address_attempts + 1
    final = not silent or attempts >= ADDRESS_ATTEMPTS
    again_at = None if final else at + again_after
    checked = replace(
        raised(order),
        address_attempts=attempts,
        ask_again_at=again_at,
        locks=order.locks - {_unverified(order)} if final else order.locks,
    )
    event = OrderAddressChecked(
        **envelope(checked, OrderAddressChecked, at),
        result=result,
        by=by,
        final=final,
        ask_again_at=again_at,
    )
    return Outcome(checked, (event,))


def _unverified(order: Order) -> Lock:
    return Lock(LockKind.ADDRESS_UNVERIFIED, order.id)


def remark(order: Order, *, remark_id: str, by: PersonId, at: datetime) -> Outcome:
    """Announce a remark; it raises the version, so that nobody prints without having read it."""
    remarked = raised(order)
    event = OrderRemarked(**envelope(remarked, OrderRemarked, at), remark_id=remark_id, by=by)
    return Outcome(remarked, (event,))


def print_label(order: Order, *, by: PersonId, at: datetime) -> Outcome:
    """Print the label of a released order; refused while any interlock is set."""
    if order.locks:
        raise Interlocked(
            "Clear the interlocks first.",
            interlocks=sorted({lock.kind.value for lock in order.locks}),
        )
    if order.state is not OrderState.RELEASED:
        raise IllegalTransition("Only a released order can be printed.", state=order.state)
    printed = replace(raised(order), state=OrderState.PRINTED)
    return Outcome(printed, (OrderPrinted(**envelope(printed, OrderPrinted, at), by=by),))


def close(order: Order, *, by: PersonId, reason: str, at: datetime) -> Outcome:
    """Close an order that nobody has paid for; a paid one is closed by its refund."""
    if order.state is not OrderState.PLACED:
        raise IllegalTransition(
            "Only an unpaid order can be closed; refund a paid one.", state=order.state
        )
    return _closed(order, by=by, reason=reason, at=at)


def refund(order: Order, amount_fen: int, *, by: PersonId, at: datetime) -> Outcome:
    """Note money that went back; an order refunded in full before printing is closed."""
    refunded = replace(order, refunded_fen=order.refunded_fen + amount_fen)
    if refunded.refunded_fen >= refunded.paid_fen and refunded.state in OPEN_STATES:
        return _closed(refunded, by=by, reason="refunded", at=at)
    return Outcome(refunded)


def _closed(order: Order, *, by: PersonId, reason: str, at: datetime) -> Outcome:
    closed = replace(raised(order), state=OrderState.CLOSED, locks=frozenset())
    event = OrderClosed(**envelope(closed, OrderClosed, at), by=by, reason=reason)
    return Outcome(closed, (event,))
