"""What lies behind a figure, over REST. Knows who may see whose."""

from typing import Annotated

from fastapi import APIRouter, Query

from kit.web.auth import Caller
from kit.web.paging import Page
from services.monitor.access.principals import only, own_shop
from services.monitor.drill.schemas import CountedRow, DrillQuery
from services.monitor.drill.service import Drill


def reading(drill: Drill) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/rounds")
    async def list_rounds(
        principal: Caller, query: Annotated[DrillQuery, Query()]
    ) -> Page[CountedRow]:
        """List the rounds that a figure counts, newest first; an agent is shown his own."""
        shop_id = own_shop(principal, query.shop)
        return await drill.rounds(shop_id, query, only=only(principal))

    @router.get("/sessions")
    async def list_sessions(
        principal: Caller, query: Annotated[DrillQuery, Query()]
    ) -> Page[CountedRow]:
        """List the sessions whose first response a figure counts; an agent is shown his own."""
        shop_id = own_shop(principal, query.shop)
        return await drill.sessions(shop_id, query, only=only(principal))

    return router
