"""Lists that many of a shop look at every few seconds: each is read once for all of them.

What staff see in them is the same for everybody of a shop, so an answer may be anybody's.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, ConversationState, ShopId
from kit.clock import Clock
from kit.postgres import Database
from kit.web import paging
from kit.web.auth import Principal
from kit.web.paging import Cursors, Page, Paged
from kit.web.shared import SharedAnswers
from services.conversation.archive import repository as archive
from services.conversation.conversations import clock
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation
from services.conversation.conversations.repository import Filter
from services.conversation.conversations.schemas import ConversationView, HeadView, RoundView
from services.conversation.conversations.views import views
from services.conversation.domain import known_form
from services.conversation.lists.schemas import ListView

KEPT_S: Final = 1.0
"""So old an answer may be: who looks asks every five seconds."""

BY_OPENING: Final[paging.Order[Conversation, tuple[datetime, str]]] = paging.by_time(
    lambda one: one.opened_at
)

_STATES: Final = {
    ListView.QUEUE: ConversationState.QUEUED,
    ListView.TEAM: ConversationState.ASSIGNED,
    ListView.CLOSED: ConversationState.CLOSED,
}


class Lists:
    """The use cases, for staff alone."""

    def __init__(self, db: Database, cursors: Cursors, ticks: Clock) -> None:
        self._db = db
        self._cursors = cursors
        self._shared = SharedAnswers(ticks, kept_s=KEPT_S)

    async def page(self, principal: Principal, which: ListView, paged: Paged) -> bytes:
        """Return a page of a list, with last words and since when buyers wait. As JSON."""
        key = (principal.shop_id, which, paged.limit, paged.cursor)
        return await self._shared.of(key, lambda: self._read(principal, which, paged))

    async def some(self, principal: Principal, ids: Sequence[str]) -> bytes:
        """Return these of the shop's conversations, in this order. As JSON.

        What is another shop's, and what does not exist, is left out.
        """
        wanted = list(dict.fromkeys(known_form(one) for one in ids))
        async with self._db.read(principal.shop_id) as session:
            found = await conversations.find_all(session, wanted)
            own = {str(one.id): one for one in found if one.shop_id == principal.shop_id}
            shown = await _rows(session, [own[one] for one in wanted if one in own], principal)
        return Page[ConversationView](items=shown).model_dump_json().encode()

    async def _read(self, principal: Principal, which: ListView, paged: Paged) -> bytes:
        shop_id = ShopId(principal.shop_id)
        query = paging.page(
            self._cursors, paged, by=BY_OPENING, shop_id=shop_id, list_name=f"view:{which}"
        )
        wanted = Filter(shop_id, state=_STATES[which], ascending=which is ListView.QUEUE)
        async with self._db.read(shop_id) as session:
            found = await conversations.page(session, wanted, after=query.after, limit=query.limit)
            shown, next_cursor = query.cut(found)
            items = await _rows(session, shown, principal)
        page = Page[ConversationView](items=items, next_cursor=next_cursor)
        return page.model_dump_json().encode()


async def _rows(
    session: AsyncSession, found: Sequence[Conversation], principal: Principal
) -> list[ConversationView]:
    still_open = [one.id for one in found if one.state is not ConversationState.CLOSED]
    clocks = await clock.clocks(session, still_open)
    heads = await archive.heads(session, [one.id for one in found])
    waits = {name: one.waiting_since for name, one in clocks.items()}
    shown: list[ConversationView] = []
    for one in await views(session, found, principal, waits=waits):
        head, its = heads.get(ConversationId(one.id)), clocks.get(one.id)
        waiting = None
        if its is not None and its.waiting_since is not None and its.position is not None:
            waiting = RoundView(opened_at=its.waiting_since, position=its.position, first=its.first)
        told = {"head": None if head is None else HeadView.of(head), "round": waiting}
        shown.append(one.model_copy(update=told))
    return shown
