"""Reports over REST. Knows who may see them, and who wants a file."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from services.monitor.access.principals import Watcher, own_shop
from services.monitor.reports.schemas import Waits, WaitsQuery, WordingQuery, WordingReport
from services.monitor.reports.service import Reports

CSV: Final = "text/csv"
_OR_A_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {CSV: {"schema": {"type": "string"}}}}
}
Accept = Annotated[str, Header()]


def reading(reports: Reports) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/waits", response_model=Waits, responses=_OR_A_FILE)
    async def read_waits(
        principal: Watcher, query: Annotated[WaitsQuery, Query()], accept: Accept = ""
    ) -> Waits | Response:
        """Return how buyers of the shop waited, by the hour or day; `Accept: text/csv` a file."""
        shop_id = own_shop(principal, query.shop)
        if _wants_file(accept):
            return Response(await reports.waits_csv(shop_id, query), media_type=CSV)
        return await reports.waits(shop_id, query)

    @router.get("/wording", response_model=WordingReport, responses=_OR_A_FILE)
    async def read_wording(
        principal: Watcher, query: Annotated[WordingQuery, Query()], accept: Accept = ""
    ) -> WordingReport | Response:
        """Return what became of words, by category, agent or day; `Accept: text/csv` a file."""
        shop_id = own_shop(principal, query.shop)
        if _wants_file(accept):
            return Response(await reports.wording_csv(shop_id, query), media_type=CSV)
        return await reports.wording(shop_id, query)

    return router


def _wants_file(accept: str) -> bool:
    return CSV in (one.partition(";")[0].strip().lower() for one in accept.split(","))
