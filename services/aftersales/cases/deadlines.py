"""What time alone brings to cases: a warning before the deadline.

The deadline's own consequence (the platform may agree in the shop's place) is the platform's.
"""

from collections.abc import Sequence

from contracts.people import CaseId, ShopId
from services.aftersales.cases.service import Warnings


class DeadlineNear:
    """Cases that will pass their deadline soon, and nobody has acted."""

    def __init__(self, warnings: Warnings) -> None:
        self._warnings = warnings

    async def __call__(self, shop_id: str, subjects: Sequence[str]) -> None:
        """Warn of them."""
        await self._warnings.raise_due(ShopId(shop_id), [CaseId(one) for one in subjects])
