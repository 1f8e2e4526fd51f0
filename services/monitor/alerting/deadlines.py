"""When alerts are looked at that are quiet. Must not know what becomes of them."""

from collections.abc import Sequence
from typing import Final

from contracts.people import ShopId
from services.monitor.alerting.service import Alerting

QUIET_S: Final = 5.0
"""Pause between two looks for alerts that are over."""


class EscalationDue:
    """Nobody took care of an alert for as long as its rule says."""

    def __init__(self, alerting: Alerting) -> None:
        self._alerting = alerting

    async def __call__(self, shop_id: str, alerts: Sequence[str]) -> None:
        """Tell further people; an alert whose timer is gone was taken care of."""
        await self._alerting.escalate(ShopId(shop_id), alerts)
