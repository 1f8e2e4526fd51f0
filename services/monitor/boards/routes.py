"""The board over REST. Knows who may see it."""

from typing import Annotated

from fastapi import APIRouter, Depends

from contracts.people import CHATTING_STAFF, PersonId, ShopId
from kit.web.auth import Principal, require
from services.monitor.access.principals import Shop, Watcher, watched_shop
from services.monitor.boards.schemas import Board, OwnDay
from services.monitor.boards.service import Boards

Chatting = Annotated[Principal, Depends(require(*CHATTING_STAFF))]


def reading(boards: Boards) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/board")
    async def read_board(principal: Watcher, shop: Shop) -> Board:
        """Return the supervisor board as it is pushed on `monitor:<shop>`, to whom it is pushed.

        An administrator of the platform names any shop.
        """
        return await boards.read(watched_shop(principal, shop))

    @router.get("/me")
    async def read_own_day(principal: Chatting) -> OwnDay:
        """Return the caller's own figures of today, as the board counts them for him.

        Sums of what is settled, so that all who chat may ask twice a minute.
        """
        return await boards.own_day(ShopId(principal.shop_id), PersonId(principal.subject))

    return router
