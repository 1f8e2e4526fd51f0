"""The curve over REST. Knows who may see it."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.monitor.access.principals import Watcher, own_shop
from services.monitor.curve.schemas import Curve, CurveQuery
from services.monitor.curve.service import CurveReader


def reading(curve: CurveReader) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/curve")
    async def read_curve(principal: Watcher, query: Annotated[CurveQuery, Query()]) -> Curve:
        """Return how many buyers waited through a day of the shop, minute by minute."""
        return await curve.read(own_shop(principal, query.shop), query)

    return router
