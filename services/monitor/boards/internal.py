"""Routes for neighbours alone, on the admin port: the board that a new subscriber starts from."""

from typing import Final

from fastapi import APIRouter

from contracts.people import ShopId
from services.monitor.boards.schemas import Board, WholeBoard
from services.monitor.boards.service import Boards

_BARE: Final = {"agents": {"__all__": {"id", "time"}}}
"""A tile stands for itself: as the log has it, without what its record is told by."""


def reading(boards: Boards) -> APIRouter:
    """Return the internal routes; the admin application asks for a service token."""
    router = APIRouter(tags=["internal"])

    @router.get("/board/{shop_id}")
    async def read_board(shop_id: str) -> Board:
        """Return the board of any shop; the gateway has checked who asks."""
        return await boards.as_pushed(ShopId(shop_id))

    @router.get("/board/{shop_id}/tiles", response_model_exclude=_BARE)
    async def read_tiles(shop_id: str) -> WholeBoard:
        """Return totals and all tiles of any shop; the gateway has checked who asks."""
        return await boards.whole(ShopId(shop_id))

    return router
