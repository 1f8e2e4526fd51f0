"""Alerts that stand, and mutes, over REST. Knows who may see and do what; knows no table."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from contracts.people import ShopId
from kit.web.idempotency import IdempotencyKey
from kit.web.paging import Page
from services.monitor.access.principals import Watcher
from services.monitor.alerting.handling import Handling
from services.monitor.alerting.schemas import (
    Mutes,
    MuteView,
    NewMute,
    StandingQuery,
    StandingView,
    Unmuted,
)

IdPath = Annotated[str, Path(min_length=1, max_length=64)]


def routes(handling: Handling) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["alerts"])

    @router.get("/standing-alerts")
    async def list_standing_alerts(
        principal: Watcher, query: Annotated[StandingQuery, Query()]
    ) -> Page[StandingView]:
        """List alerts, one for however many times it happened, newest first."""
        return await handling.page(ShopId(principal.shop_id), query)

    @router.post("/standing-alerts/{alert_id}/acknowledge")
    async def acknowledge_standing_alert(
        *, principal: Watcher, key: IdempotencyKey, alert_id: IdPath
    ) -> StandingView:
        """Take care of an alert: it escalates no further, and goes on being counted."""
        return await handling.acknowledge(principal, alert_id, key=key)

    @router.get("/mutes")
    async def list_mutes(principal: Watcher) -> Mutes:
        """List what the shop is not told now."""
        return await handling.mutes(ShopId(principal.shop_id))

    @router.post("/mutes", status_code=201)
    async def mute_alerts(*, principal: Watcher, key: IdempotencyKey, mute: NewMute) -> MuteView:
        """Store alerts of a rule without telling them, for a day at most."""
        return await handling.mute(principal, mute, key=key)

    @router.delete("/mutes/{mute_id}")
    async def unmute_alerts(principal: Watcher, mute_id: IdPath) -> Unmuted:
        """Hear of it again."""
        return await handling.unmute(principal, mute_id)

    return router
