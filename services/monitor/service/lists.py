"""Answers lists: flags, incidents, who waits longest. Must not know routes or SQL."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from contracts.gateway import WordingHit
from contracts.monitor import WaitingBuyer
from contracts.people import ShopId
from kit.postgres import Database
from kit.web.paging import Cursors, Page
from services.monitor.repository import boards, figures, lists
from services.monitor.repository.lists import Place
from services.monitor.schemas.answers import Flag, Incident, Waiting

T = TypeVar("T")


class Lists:
    """Pages of one shop, newest first."""

    def __init__(self, database: Database, cursors: Cursors) -> None:
        self._db = database
        self._cursors = cursors

    async def flags(self, shop_id: ShopId, *, cursor: str | None, limit: int) -> Page[Flag]:
        """Return a page of flags. Raises `BadCursor`."""
        after = self._place(cursor, shop_id, "flags")
        async with self._db.read(shop_id) as session:
            rows = await lists.flags(session, shop_id, after=after, limit=limit + 1)
        return self._page(
            rows, limit, shop_id=shop_id, name="flags", item=_flag,
            place=lambda row: Place(row.at_ms, row.message_id),
        )  # fmt: skip

    async def incidents(self, shop_id: ShopId, *, cursor: str | None, limit: int) -> Page[Incident]:
        """Return a page of incidents. Raises `BadCursor`."""
        after = self._place(cursor, shop_id, "incidents")
        async with self._db.read(shop_id) as session:
            rows = await lists.incidents(session, shop_id, after=after, limit=limit + 1)
        return self._page(
            rows, limit, shop_id=shop_id, name="incidents", item=_incident,
            place=lambda row: Place(row.held_ms, row.incident_id),
        )  # fmt: skip

    async def waiting(self, shop_id: ShopId, *, limit: int) -> Waiting:
        """Return who waits, longest first."""
        async with self._db.read(shop_id) as session:
            found = await boards.waits(session, shop_id, limit=limit)
            loads = await boards.loads(session, shop_id, breach_before_ms=0)
            as_of = await figures.as_of_ms(session, shop_id)
        return Waiting(
            as_of=None if as_of is None else _moment(as_of),
            waiting=sum(load.waiting for load in loads),
            items=[
                WaitingBuyer(
                    conversation_id=wait.conversation_id,
                    agent_id=wait.agent_id,
                    waiting_since=_moment(wait.since_ms),
                )
                for wait in found
            ],
        )

    def _place(self, cursor: str | None, shop_id: ShopId, name: str) -> Place | None:
        if cursor is None:
            return None
        place = self._cursors.decode(cursor, shop_id, list_name=name)
        return Place(int(place["at"]), str(place["id"]))

    def _page(
        self,
        rows: Sequence[Any],
        limit: int,
        *,
        shop_id: ShopId,
        name: str,
        item: Callable[[Any], T],
        place: Callable[[Any], Place],
    ) -> Page[T]:
        shown = rows[:limit]
        following = None
        if len(rows) > limit:
            at_ms, last = place(shown[-1])
            following = self._cursors.encode({"at": at_ms, "id": last}, shop_id, list_name=name)
        return Page(items=[item(row) for row in shown], next_cursor=following)


def _flag(row: Any) -> Flag:
    return Flag(
        message_id=row.message_id,
        conversation_id=row.conversation_id,
        sender_id=row.sender_id,
        speaker=row.speaker,
        at=_moment(row.at_ms),
        categories=row.categories,
        hits=[WordingHit.model_validate(hit) for hit in row.hits],
        lexicon_version=row.lexicon_version,
        policy_version=row.policy_version,
    )


def _incident(row: Any) -> Incident:
    return Incident(
        incident_id=row.incident_id,
        conversation_id=row.conversation_id,
        agent_id=row.agent_id,
        client_id=row.client_id,
        action=row.action,
        text=row.text,
        categories=row.categories,
        hits=[WordingHit.model_validate(hit) for hit in row.hits],
        lexicon_version=row.lexicon_version,
        policy_version=row.policy_version,
        held_at=_moment(row.held_ms),
        stored_at=row.stored_at,
    )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
