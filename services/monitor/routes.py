"""The monitor over REST: board, figures, flags, incidents, who waits longest.

Knows who may see what; must not know where figures come from.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from contracts.people import CHATTING_STAFF, WATCHING_STAFF, PersonId, Role, ShopId
from kit.errors import Forbidden, NotFound
from kit.web.auth import Caller, Principal, require
from kit.web.paging import PAGE_DEFAULT, CursorText, Limit, Page, Paging
from services.monitor.schemas.answers import Board, Figures, Flag, Incident, Waiting
from services.monitor.schemas.queries import FiguresQuery
from services.monitor.service import Boards, FigureReader, Lists

Watcher = Annotated[Principal, Depends(require(*WATCHING_STAFF))]
Shop = Annotated[str, Query(min_length=1, max_length=64, description="The shop's id")]


def reading(boards: Boards, figures: FigureReader, lists: Lists) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/board")
    async def read_board(principal: Watcher, shop: Shop) -> Board:
        """Return the supervisor board as it is pushed on `monitor:<shop>`."""
        return await boards.read(_own_shop(principal, shop))

    @router.get("/figures")
    async def read_figures(principal: Caller, query: Annotated[FiguresQuery, Query()]) -> Figures:
        """Return response times of `[from, to)`; an agent is answered with his own."""
        shop_id = _own_shop(principal, query.shop)
        return await figures.read(shop_id, query, only=_only(principal))

    @router.get("/flags")
    async def list_flags(
        principal: Watcher, shop: Shop, limit: Limit = PAGE_DEFAULT, cursor: CursorText = None
    ) -> Page[Flag]:
        """List delivered messages that break a wording rule, newest first."""
        return await lists.flags(_own_shop(principal, shop), Paging(limit, cursor))

    @router.get("/incidents")
    async def list_incidents(
        principal: Watcher, shop: Shop, limit: Limit = PAGE_DEFAULT, cursor: CursorText = None
    ) -> Page[Incident]:
        """List messages that the gate kept from the buyer, with their evidence, newest first."""
        return await lists.incidents(_own_shop(principal, shop), Paging(limit, cursor))

    @router.get("/waiting")
    async def list_waiting(principal: Watcher, shop: Shop, limit: Limit = PAGE_DEFAULT) -> Waiting:
        """List buyers who wait for an answer, longest first."""
        return await lists.waiting(_own_shop(principal, shop), limit=limit)

    return router


def _own_shop(principal: Principal, shop: str) -> ShopId:
    """Another shop's figures do not exist, whether that shop does or not (X10)."""
    if principal.shop_id != shop:
        raise NotFound
    return ShopId(shop)


def _only(principal: Principal) -> PersonId | None:
    """Return whose figures alone the principal may see; None: everybody's."""
    if principal.role in WATCHING_STAFF:
        return None
    if principal.role not in CHATTING_STAFF | {Role.AGENT}:
        raise Forbidden
    return PersonId(principal.subject)
