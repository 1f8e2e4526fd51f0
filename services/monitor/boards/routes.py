"""The board over REST. Knows who may see it."""

from fastapi import APIRouter

from services.monitor.access.principals import Shop, Watcher, watched_shop
from services.monitor.boards.schemas import Board
from services.monitor.boards.service import Boards


def reading(boards: Boards) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/board")
    async def read_board(principal: Watcher, shop: Shop) -> Board:
        """Return the supervisor board as it is pushed on `monitor:<shop>`, to whom it is pushed.

        An administrator of the platform names any shop.
        """
        return await boards.read(watched_shop(principal, shop))

    return router
