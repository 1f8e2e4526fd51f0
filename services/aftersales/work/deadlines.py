"""What time alone brings to work: a second attempt at an address, and escalation."""

from collections.abc import Sequence

from contracts.people import OrderId, ShopId, WorkId
from services.aftersales.work.service import WorkDeadlines


class AddressCheckDue:
    """Orders whose buyers are to be asked again."""

    def __init__(self, work: WorkDeadlines) -> None:
        self._work = work

    async def __call__(self, shop_id: str, subjects: Sequence[str]) -> None:
        """Open the next attempts."""
        await self._work.check_address_again(ShopId(shop_id), [OrderId(one) for one in subjects])


class WorkOverdue:
    """Work that nobody has settled in time."""

    def __init__(self, work: WorkDeadlines) -> None:
        self._work = work

    async def __call__(self, shop_id: str, subjects: Sequence[str]) -> None:
        """Escalate it."""
        await self._work.escalate(ShopId(shop_id), [WorkId(one) for one in subjects])
