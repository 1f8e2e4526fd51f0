"""The monitor over REST: board, figures, flags, incidents, who waits longest.

Knows who may see what; must not know where figures come from.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from contracts.people import CHATTING_STAFF, WATCHING_STAFF, PersonId, Role, ShopId
from kit.errors import Forbidden, NotFound, Unprocessable
from kit.web.app import Body
from kit.web.auth import Caller, Principal, require
from kit.web.paging import PAGE_DEFAULT, CursorText, Limit, Page
from services.monitor.domain import ProfileName
from services.monitor.repository.directory import Directory
from services.monitor.schemas.answers import Board, Figures, Flag, Incident, Waiting
from services.monitor.service.boards import Boards
from services.monitor.service.figures import FigureReader, Question
from services.monitor.service.lists import Lists

STRETCH_LIMIT: Final = timedelta(days=93)
"""Longest stretch of one question; ask several and add, sums and counts are made for that."""

Watcher = Annotated[Principal, Depends(require(*WATCHING_STAFF))]
Shop = Annotated[str, Query(min_length=1, max_length=64, description="The shop's id")]


class FiguresQuery(Body):
    """Which figures. `from` and `to` are local dates or RFC 3339 times, `to` excluded."""

    shop: str = Field(min_length=1, max_length=64)
    profile: str = Field(min_length=1, max_length=40)
    start: str = Field(alias="from", min_length=10, max_length=35, examples=["2026-11-11"])
    end: str = Field(alias="to", min_length=10, max_length=35, examples=["2026-11-12"])
    by: Literal["shop", "agent"] = "shop"


class BadStretch(Unprocessable):
    """`from` and `to` name no stretch of time."""

    slug, title = "bad_stretch", "from and to must name a stretch of time"


@dataclass(frozen=True, slots=True)
class Readers:
    """The use cases behind the routes."""

    boards: Boards
    figures: FigureReader
    lists: Lists
    directory: Directory


def router(readers: Readers) -> APIRouter:
    """Return the public routes."""
    routes = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @routes.get("/board")
    async def read_board(caller: Watcher, shop: Shop) -> Board:
        """Return the supervisor board as it is pushed on `monitor:<shop>`."""
        shown = await readers.boards.read(_own_shop(caller, shop))
        return Board.model_validate(shown, from_attributes=True)

    @routes.get("/figures")
    async def read_figures(caller: Caller, asked: Annotated[FiguresQuery, Query()]) -> Figures:
        """Return response times of `[from, to)`; an agent is answered with his own."""
        shop_id = _own_shop(caller, asked.shop)
        only = None if caller.role in WATCHING_STAFF else _own_figures(caller)
        begin, until = _stretch(readers.directory, shop_id, asked)
        return await readers.figures.read(
            Question(
                shop_id=shop_id,
                profile=ProfileName(asked.profile),
                start=begin,
                end=until,
                by_agent=asked.by == "agent" or only is not None,
                only=only,
            )
        )

    @routes.get("/flags")
    async def list_flags(
        caller: Watcher, shop: Shop, limit: Limit = PAGE_DEFAULT, cursor: CursorText = None
    ) -> Page[Flag]:
        """List delivered messages that break a wording rule, newest first."""
        return await readers.lists.flags(_own_shop(caller, shop), cursor=cursor, limit=limit)

    @routes.get("/incidents")
    async def list_incidents(
        caller: Watcher, shop: Shop, limit: Limit = PAGE_DEFAULT, cursor: CursorText = None
    ) -> Page[Incident]:
        """List messages that the gate kept from the buyer, with their evidence, newest first."""
        return await readers.lists.incidents(_own_shop(caller, shop), cursor=cursor, limit=limit)

    @routes.get("/waiting")
    async def list_waiting(caller: Watcher, shop: Shop, limit: Limit = PAGE_DEFAULT) -> Waiting:
        """List buyers who wait for an answer, longest first."""
        return await readers.lists.waiting(_own_shop(caller, shop), limit=limit)

    return routes


def _own_shop(caller: Principal, shop: str) -> ShopId:
    """Another shop's figures do not exist, whether that shop does or not (X10)."""
    if caller.shop_id != shop:
        raise NotFound
    return ShopId(shop)


def _own_figures(caller: Principal) -> PersonId:
    if caller.role not in CHATTING_STAFF | {Role.AGENT}:
        raise Forbidden
    return PersonId(caller.subject)


def _stretch(
    directory: Directory, shop_id: ShopId, asked: FiguresQuery
) -> tuple[datetime, datetime]:
    zone = directory.calendar(shop_id).zone
    try:
        begin, until = _moment(asked.start, zone), _moment(asked.end, zone)
    except ValueError:
        raise BadStretch(
            "Give dates such as 2026-11-11 or times such as 2026-11-11T08:00:00+08:00."
        ) from None
    if not begin < until <= begin + STRETCH_LIMIT:
        raise BadStretch(f"`to` must be after `from`, by at most {STRETCH_LIMIT.days} days.")
    return begin, until


def _moment(text: str, zone: tzinfo) -> datetime:
    """Read a date (its local midnight) or a time; one without an offset is the shop's local."""
    if len(text) == len("2026-11-11"):
        return datetime.combine(date.fromisoformat(text), time(), tzinfo=zone)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
