"""Flags and incidents over REST. Knows who may see them."""

from fastapi import APIRouter

from kit.web.paging import PAGE_DEFAULT, CursorText, Limit, Page, Paging
from services.monitor.access.principals import Shop, Watcher, own_shop
from services.monitor.evidence.schemas import Flag, Incident
from services.monitor.evidence.service import Evidence


def reading(evidence: Evidence) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/flags")
    async def list_flags(
        *, principal: Watcher, shop: Shop, limit: Limit = PAGE_DEFAULT, cursor: CursorText = None
    ) -> Page[Flag]:
        """List delivered messages that break a wording rule, newest first."""
        return await evidence.flags(own_shop(principal, shop), Paging(limit, cursor))

    @router.get("/incidents")
    async def list_incidents(
        *, principal: Watcher, shop: Shop, limit: Limit = PAGE_DEFAULT, cursor: CursorText = None
    ) -> Page[Incident]:
        """List messages that the gate kept from the buyer, with their evidence, newest first."""
        return await evidence.incidents(own_shop(principal, shop), Paging(limit, cursor))

    return router
