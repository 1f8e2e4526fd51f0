"""Traffic over REST. Knows who may see it."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.monitor.access.principals import Watcher, own_shop
from services.monitor.traffic.schemas import TrafficDays, TrafficQuery
from services.monitor.traffic.service import TrafficReader


def reading(traffic: TrafficReader) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/traffic")
    async def read_traffic(
        principal: Watcher, query: Annotated[TrafficQuery, Query()]
    ) -> TrafficDays:
        """Return what was said in the shop, by day."""
        return await traffic.read(own_shop(principal, query.shop), query)

    return router
