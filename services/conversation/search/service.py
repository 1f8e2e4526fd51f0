"""Looks for words in what was said in a shop: newest first, for as long as there is time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row

from contracts.people import ConversationId, SenderKind
from contracts.topics import CHAT
from kit import positions
from kit.audit import Audit
from kit.clock import Clock
from kit.errors import Unprocessable
from kit.postgres import Database, DatabaseBusy
from kit.web import paging
from kit.web.auth import Principal
from kit.web.paging import Cursors
from services.conversation.archive import repository as archive
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.schemas import ConversationView
from services.conversation.conversations.views import views
from services.conversation.search import repository
from services.conversation.search.domain import excerpt, holds, keys_of, normalised
from services.conversation.search.indexing import Through, text_of
from services.conversation.search.repository import Wanted
from services.conversation.search.schemas import FoundView, HitView, SearchQuery

TIME_MS: Final = 250
"""A search has so long; then what it found is answered, and that it is not all."""

LEAST_MS: Final = 10
"""With less left, another look is not begun."""

LOOK: Final = 100
"""Messages that are looked at in one go: pairs of characters alone do not make the words."""

_ALWAYS: Final = datetime(2000, 1, 1, tzinfo=UTC)
_NEVER: Final = datetime(2100, 1, 1, tzinfo=UTC)
_LAST: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class TooShort(Unprocessable):
    """Single characters, and what is no letter or digit, are not looked up."""

    slug, title = "query_too_short", "Look for two characters or more"


def _kept(row: Row[Any]) -> dict[str, str]:
    return {"at": row.at.isoformat(), "id": str(row.message_id)}


BY_TIME: Final[paging.Order[Row[Any], tuple[datetime, str]]] = paging.Order(
    _kept, lambda kept: (datetime.fromisoformat(kept["at"]), str(kept["id"]))
)


@dataclass(frozen=True)
class _Looked:
    """What was found in time: the messages, and where to go on if that is not all."""

    hits: Sequence[Row[Any]]
    reached: Row[Any] | None
    is_partial: bool


@dataclass(frozen=True)
class Search:
    """Use cases about words in chats."""

    db: Database
    audit: Audit
    clock: Clock
    cursors: Cursors
    through: Through

    async def messages(self, principal: Principal, wanted: SearchQuery) -> FoundView:
        """Return what the caller's shop said with these words; recorded in the audit.

        Raises `TooShort`, `BadCursor`.
        """
        shop_id, terms = principal.shop_id, normalised(wanted.q).split()
        keys = keys_of(shop_id, wanted.q)
        if not keys:
            raise TooShort
        query = paging.page(
            self.cursors, wanted, by=BY_TIME, shop_id=shop_id, list_name=_list_name(wanted)
        )
        async with self.db.write(shop_id) as session:
            await self.audit.note(session, principal, "messages.searched", shop_id, note=wanted.q)
        sought = Wanted(
            shop_id,
            keys,
            since=wanted.since or _ALWAYS,
            till=wanted.till or _NEVER,
            below=query.after or (_NEVER, _LAST),
            sender_id=wanted.agent,
        )
        looked = await self._look(sought, terms, limit=query.limit)
        shown, next_cursor = query.cut(looked.hits)
        if next_cursor is None and looked.is_partial:
            next_cursor = self._goes_on(looked, wanted, shop_id)
        return FoundView(
            items=tuple(_hit(row, terms) for row in shown),
            conversations=tuple(await self._conversations(principal, shown)),
            next_cursor=next_cursor,
            partial=looked.is_partial,
            indexed_through=await self._indexed_through(),
        )

    def _goes_on(self, looked: _Looked, wanted: SearchQuery, shop_id: str) -> str | None:
        """Return where to go on: behind what was looked at, or where it was asked for again."""
        if looked.reached is None:
            return wanted.cursor
        kept = BY_TIME.keep(looked.reached)
        return self.cursors.encode(kept, shop_id, list_name=_list_name(wanted))

    async def _look(self, wanted: Wanted, terms: Sequence[str], *, limit: int) -> _Looked:
        until = self.clock.monotonic() + TIME_MS / 1000
        hits: list[Row[Any]] = []
        reached: Row[Any] | None = None
        while len(hits) < limit:
            left_ms = round((until - self.clock.monotonic()) * 1000)
            if left_ms < LEAST_MS:
                return _Looked(hits, reached, is_partial=True)
            try:
                async with self.db.read(wanted.shop_id) as session:
                    rows = await repository.found(session, wanted, limit=LOOK, timeout_ms=left_ms)
            except DatabaseBusy:
                return _Looked(hits, reached, is_partial=True)
            hits += [row for row in rows if holds(text_of(row.body)[1], terms)]
            if len(rows) < LOOK:
                return _Looked(hits[:limit], reached, is_partial=False)
            reached = rows[-1]
            wanted = replace(wanted, below=(reached.at, str(reached.message_id)))
        return _Looked(hits[:limit], reached, is_partial=False)

    async def _conversations(
        self, principal: Principal, hits: Sequence[Row[Any]]
    ) -> list[ConversationView]:
        ids = sorted({ConversationId(str(row.conversation_id)) for row in hits})
        async with self.db.read(principal.shop_id) as session:
            found = await conversations.find_all(session, ids)
            return await views(session, found, principal)

    async def _indexed_through(self) -> datetime | None:
        """Return through when all that was said is found: what is behind says when it ends."""
        archived = await self.through()
        async with self.db.read_across("offsets of the log say nothing of a shop") as session:
            marks = await positions.marks(session, CHAT.name)
            newest = await archive.newest_generation(session, CHAT.name)
            reaches = await repository.reaches(session)
        behind: list[datetime | None] = [archived]
        for partition, mark in marks.items():
            reach = reaches.get(partition)
            if reach is None or (reach.generation, reach.next_offset) < (newest, mark):
                behind.append(None if reach is None else reach.reached_at)
        known = [moment for moment in behind if moment is not None]
        return min(known) if len(known) == len(behind) else None


def _list_name(wanted: SearchQuery) -> str:
    """Name the list that a cursor goes on with: another query is another list."""
    asked = repr((wanted.q, wanted.since, wanted.till, wanted.agent))
    return f"search:{hashlib.sha256(asked.encode()).hexdigest()[:16]}"


def _hit(row: Row[Any], terms: Sequence[str]) -> HitView:
    return HitView(
        message_id=str(row.message_id),
        conversation_id=str(row.conversation_id),
        position=(row.generation, row.log_offset),
        at=row.at,
        by=None if row.sender_kind is None else SenderKind(row.sender_kind),
        sender_id=row.sender_id,
        excerpt=excerpt(text_of(row.body)[1], terms),
    )
