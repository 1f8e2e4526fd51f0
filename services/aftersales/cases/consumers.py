"""The door for what orders tell of payments: group `aftersales.payments`.

Hands each to its use case. Knows no table.
"""

from contracts.base import Event
from contracts.orders import OrderPaid
from services.aftersales.cases.service import PaymentFacts


class Payments:
    """Notes what was paid, apart from the tasks, so that a stuck task never blocks a refund."""

    def __init__(self, facts: PaymentFacts) -> None:
        self._facts = facts

    async def __call__(self, event: Event) -> None:
        """Apply the event; a repeat is stopped by the use case's inbox row."""
        match event:
            case OrderPaid():
                await self._facts.note_payment(event)
            case _:
                pass
