"""The door for other services' facts about work: group `aftersales.tasks`.

Hands each to its use case. Knows no table.
"""

from contracts.base import Event
from contracts.orders import OrderAddressChecked, OrderClosed, OrderPaid
from contracts.work import WorkAssigned
from services.aftersales.work.service import WorkFacts


class Tasks:
    """Turns what happens to an order into work for agents."""

    def __init__(self, facts: WorkFacts) -> None:
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
