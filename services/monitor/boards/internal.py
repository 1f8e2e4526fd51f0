"""Routes for neighbours alone, on the admin port: the board that a new subscriber starts from."""

from fastapi import APIRouter

from contracts.people import ShopId
from services.monitor.boards.schemas import Board
from services.monitor.boards.service import Boards


def reading(boards: Boards) -> APIRouter:
    """Return the internal routes; the admin application asks for a service token."""
    router = APIRouter(tags=["internal"])

    @router.get("/board/{shop_id}")
    async def read_board(shop_id: str) -> Board:
        """Return the board of any shop; the gateway has checked who asks."""
        return await boards.as_pushed(ShopId(shop_id))

    return router
