"""Figures over REST. Knows who may see whose."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from kit.web.auth import Caller
from services.monitor.access.principals import only, own_shop
from services.monitor.access.schemas import CSV, OR_A_FILE, Accept, wants_file
from services.monitor.figures.schemas import Figures, FiguresQuery
from services.monitor.figures.service import FigureReader


def reading(figures: FigureReader) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/figures", response_model=Figures, responses=OR_A_FILE)
    async def read_figures(
        principal: Caller, query: Annotated[FiguresQuery, Query()], accept: Accept = ""
    ) -> Figures | Response:
        """Return response times of `[from, to)`; an agent is answered with his own.

        With `Accept: text/csv` they are a file for spreadsheets, the same rows in it.
        """
        shop_id = own_shop(principal, query.shop)
        if wants_file(accept):
            text = await figures.as_csv(shop_id, query, only=only(principal))
            return Response(text, media_type=CSV)
        return await figures.read(shop_id, query, only=only(principal))

    return router
