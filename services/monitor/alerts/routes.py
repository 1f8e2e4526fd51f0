"""Alerts over REST. Knows who may see and judge what."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from contracts.monitor import AlertKind
from contracts.people import ShopId
from kit.web.auth import Caller
from kit.web.idempotency import IdempotencyKey
from kit.web.paging import Page
from services.monitor.access.principals import Watcher, only
from services.monitor.alerts.schemas import (
    Acknowledgement,
    AlertQuery,
    AlertView,
    Feedback,
    Opinion,
)
from services.monitor.alerts.service import Alerts

AlertPath = Annotated[str, Path(min_length=1, max_length=64)]


def routes(alerts: Alerts) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/alerts")
    async def list_alerts(
        principal: Watcher, query: Annotated[AlertQuery, Query()]
    ) -> Page[AlertView]:
        """List what the caller's shop was told in the last seven days, newest first."""
        return await alerts.page(ShopId(principal.shop_id), query)

    @router.post("/alerts/{alert_id}/acknowledge")
    async def acknowledge_alert(
        *, principal: Watcher, key: IdempotencyKey, alert_id: AlertPath, opinion: Opinion
    ) -> Acknowledgement:
        """Take care of an alert; a second leader gets the first one's answer."""
        return await alerts.acknowledge(principal, alert_id, opinion, key=key)

    @router.post("/incidents/{incident_id}/feedback")
    async def judge_incident(
        *, principal: Caller, key: IdempotencyKey, incident_id: AlertPath, opinion: Opinion
    ) -> Feedback:
        """Say what one makes of a message that was held; an agent of his own alone."""
        place = AlertKind.INCIDENT, incident_id
        return await alerts.judge(principal, place, opinion, key=key, only=only(principal))

    @router.post("/flags/{message_id}/feedback")
    async def judge_flag(
        *, principal: Caller, key: IdempotencyKey, message_id: AlertPath, opinion: Opinion
    ) -> Feedback:
        """Say what one makes of a message that was flagged; an agent of his own alone."""
        place = AlertKind.FLAG, message_id
        return await alerts.judge(principal, place, opinion, key=key, only=only(principal))

    return router
