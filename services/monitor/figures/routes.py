"""Figures over REST. Knows who may see whose."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from kit.web.auth import Caller
from services.monitor.access.principals import only, own_shop
from services.monitor.figures.schemas import Figures, FiguresQuery
from services.monitor.figures.service import FigureReader

CSV: Final = "text/csv"


def reading(figures: FigureReader) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get(
        "/figures",
        response_model=Figures,
        responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
    )
    async def read_figures(
        principal: Caller,
        query: Annotated[FiguresQuery, Query()],
        accept: Annotated[str, Header()] = "",
    ) -> Figures | Response:
        """Return response times of `[from, to)`; an agent is answered with his own.

        With `Accept: text/csv` they are a file for spreadsheets, the same rows in it.
        """
        shop_id = own_shop(principal, query.shop)
        if CSV in (one.partition(";")[0].strip().lower() for one in accept.split(",")):
            text = await figures.as_csv(shop_id, query, only=only(principal))
            return Response(text, media_type=CSV)
        return await figures.read(shop_id, query, only=only(principal))

    return router
