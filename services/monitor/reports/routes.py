"""Reports over REST. Knows who may see them, and who wants a file."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.monitor.access.principals import Watcher, own_shop
from services.monitor.access.schemas import CSV, OR_A_FILE, Accept, wants_file
from services.monitor.reports.schemas import (
    HoursQuery,
    HoursReport,
    Waits,
    WaitsQuery,
    WordingQuery,
    WordingReport,
)
from services.monitor.reports.service import Reports


def reading(reports: Reports) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/waits", response_model=Waits, responses=OR_A_FILE)
    async def read_waits(
        principal: Watcher, query: Annotated[WaitsQuery, Query()], accept: Accept = ""
    ) -> Waits | Response:
        """Return how buyers of the shop waited, by the hour or day; `Accept: text/csv` a file."""
        shop_id = own_shop(principal, query.shop)
        if wants_file(accept):
            return Response(await reports.waits_csv(shop_id, query), media_type=CSV)
        return await reports.waits(shop_id, query)

    @router.get("/wording", response_model=WordingReport, responses=OR_A_FILE)
    async def read_wording(
        principal: Watcher, query: Annotated[WordingQuery, Query()], accept: Accept = ""
    ) -> WordingReport | Response:
        """Return what became of words, by category, agent or day; `Accept: text/csv` a file."""
        shop_id = own_shop(principal, query.shop)
        if wants_file(accept):
            return Response(await reports.wording_csv(shop_id, query), media_type=CSV)
        return await reports.wording(shop_id, query)

    @router.get("/hours", response_model=HoursReport, responses=OR_A_FILE)
    async def read_hours(
        principal: Watcher, query: Annotated[HoursQuery, Query()], accept: Accept = ""
    ) -> HoursReport | Response:
        """Return how long agents were online, busy and on a break; `Accept: text/csv` a file."""
        shop_id = own_shop(principal, query.shop)
        if wants_file(accept):
            return Response(await reports.hours_csv(shop_id, query), media_type=CSV)
        return await reports.hours(shop_id, query)

    return router
