"""The door for other services' facts: groups `aftersales.tasks` and `aftersales.payments`.

Turns records into events and hands them to the use case. Knows no table.
"""

from typing import Final

from contracts import decode
from contracts.base import Event, UnknownEvent, UnreadableEvent
from contracts.conversation import WorkAssigned
from contracts.orders import OrderAddressChecked, OrderClosed, OrderPaid
from contracts.topics import ORDERS, WORK
from kit.bus.ports import Record
from kit.errors import Dead
from services.aftersales.service import PAYMENTS, TASKS, Facts

__all__ = ["PAYMENTS", "PAYMENT_TOPICS", "TASKS", "TASK_TOPICS", "Payments", "Tasks"]

TASK_TOPICS: Final = (ORDERS.name, WORK.name)
PAYMENT_TOPICS: Final = (ORDERS.name,)


class Tasks:
    """Turns what happens to an order into work for agents."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    async def __call__(self, record: Record) -> None:
        """Apply the record's event. Raises `Dead` for what cannot be read."""
        match _event(record):
            case OrderPaid() as event:
                await self._facts.open_address_check(event)
            case OrderAddressChecked() as event:
                await self._facts.settle_address_check(event)
            case OrderClosed() as event:
                await self._facts.drop_work(event)
            case WorkAssigned() as event:
                await self._facts.note_assignment(event)
            case _:
                pass  # these topics carry more than tasks need


class Payments:
    """Notes what was paid, apart from the tasks, so that a stuck task never blocks a refund."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    async def __call__(self, record: Record) -> None:
        """Apply the record's event. Raises `Dead` for what cannot be read."""
        match _event(record):
            case OrderPaid() as event:
                await self._facts.note_payment(event)
            case _:
                pass


def _event(record: Record) -> Event:
    try:
        return decode(record)
    except (UnknownEvent, UnreadableEvent) as unreadable:
        raise Dead(str(unreadable)) from None
