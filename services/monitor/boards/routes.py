"""The board over REST. Knows who may see it."""

from fastapi import APIRouter

from services.monitor.access.principals import Shop, Watcher, own_shop
from services.monitor.boards.schemas import Board
from services.monitor.boards.service import Boards


def reading(boards: Boards) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/board")
    async def read_board(principal: Watcher, shop: Shop) -> Board:
        """Return the supervisor board as it is pushed on `monitor:<shop>`."""
        return await boards.read(own_shop(principal, shop))

    return router
