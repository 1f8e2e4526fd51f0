"""Figures over REST. Knows who may see whose."""

from typing import Annotated

from fastapi import APIRouter, Query

from kit.web.auth import Caller
from services.monitor.access.principals import only, own_shop
from services.monitor.figures.schemas import Figures, FiguresQuery
from services.monitor.figures.service import FigureReader


def reading(figures: FigureReader) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/figures")
    async def read_figures(principal: Caller, query: Annotated[FiguresQuery, Query()]) -> Figures:
        """Return response times of `[from, to)`; an agent is answered with his own."""
        shop_id = own_shop(principal, query.shop)
        return await figures.read(shop_id, query, only=only(principal))

    return router
