"""The door for other services' facts: group `orders.settlements` on the topics cases and work.

Hands each to its use case. Knows no table.
"""

from contracts.aftersales import CaseRefunded, CaseRequested, CaseReviewed
from contracts.base import Event
from contracts.work import WorkAssigned, WorkSettled, WorkSettledV2
from services.orders.access.service import Holders
from services.orders.fulfil.service import Refunds


class Settlements:
    """The facts of other services that orders live by."""

    def __init__(self, refunds: Refunds, holders: Holders) -> None:
        self._refunds = refunds
        self._holders = holders

    async def __call__(self, event: Event) -> None:
        """Apply the event; a repeat is stopped by the use case's inbox row."""
        match event:
            case CaseRequested():
                await self._refunds.requested(event)
            case CaseReviewed():
                await self._refunds.reviewed(event)
            case CaseRefunded():
                await self._refunds.refunded(event)
            case WorkAssigned():
                await self._holders.work_assigned(event)
            case WorkSettled() | WorkSettledV2():
                await self._holders.work_settled(event)
            case _:
                pass  # these topics carry more than orders need
