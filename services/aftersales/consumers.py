"""The door for other services' facts: groups `aftersales.tasks` and `aftersales.payments`.

Hands each to its use case. Knows no table.
"""

from contracts.base import Event
from contracts.conversation import WorkAssigned
from contracts.orders import OrderAddressChecked, OrderClosed, OrderPaid
from services.aftersales.service import Facts


class Tasks:
    """Turns what happens to an order into work for agents."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    async def __call__(self, event: Event) -> None:
        """Apply the event; a repeat is stopped by the use case's inbox row."""
        match event:
            case OrderPaid():
                await self._facts.open_address_check(event)
            case OrderAddressChecked():
                await self._facts.settle_address_check(event)
            case OrderClosed():
                await self._facts.drop_work(event)
            case WorkAssigned():
                await self._facts.note_assignment(event)
            case _:
                pass  # these topics carry more than tasks need


class Payments:
    """Notes what was paid, apart from the tasks, so that a stuck task never blocks a refund."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    async def __call__(self, event: Event) -> None:
        """Apply the event; a repeat is stopped by the use case's inbox row."""
        match event:
            case OrderPaid():
                await self._facts.note_payment(event)
            case _:
                pass
