"""Who waits longest, over REST. Knows who may see it."""

from fastapi import APIRouter

from kit.web.paging import PAGE_DEFAULT, Limit
from services.monitor.access.principals import Shop, Watcher, own_shop
from services.monitor.waiting.schemas import Waiting
from services.monitor.waiting.service import Waiters


def reading(waiters: Waiters) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/waiting")
    async def list_waiting(principal: Watcher, shop: Shop, limit: Limit = PAGE_DEFAULT) -> Waiting:
        """List buyers who wait for an answer, longest first."""
        return await waiters.read(own_shop(principal, shop), limit=limit)

    return router
