"""Answers lists: flags, incidents, who waits longest. Must not know routes or SQL."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from contracts.gateway import WordingHit
from contracts.monitor import WaitingBuyer
from contracts.people import ShopId
from kit.postgres import Database
from kit.web import paging
from kit.web.paging import Cursors, Page, Paged
from services.monitor.models import FlagRow, IncidentRow
from services.monitor.repository import boards, figures, lists
from services.monitor.repository.lists import Place
from services.monitor.schemas.answers import Flag, Incident, Waiting


def _place(kept: Mapping[str, Any]) -> Place:
    return Place(int(kept["at"]), str(kept["id"]))


FLAGS: Final[paging.Order[FlagRow, Place]] = paging.Order(
    lambda row: {"at": row.at_ms, "id": row.message_id}, _place
)
INCIDENTS: Final[paging.Order[IncidentRow, Place]] = paging.Order(
    lambda row: {"at": row.held_ms, "id": row.incident_id}, _place
)


class Lists:
    """Pages of one shop, newest first."""

    def __init__(self, database: Database, cursors: Cursors) -> None:
        self._db = database
        self._cursors = cursors

    async def flags(self, shop_id: ShopId, wanted: Paged) -> Page[Flag]:
        """Return a page of flags. Raises `BadCursor`."""
        query = paging.page(self._cursors, wanted, by=FLAGS, shop_id=shop_id, list_name="flags")
        async with self._db.read(shop_id) as session:
            rows = await lists.flags(session, shop_id, after=query.after, limit=query.limit)
        return query.show(rows, _flag)

    async def incidents(self, shop_id: ShopId, wanted: Paged) -> Page[Incident]:
        """Return a page of incidents. Raises `BadCursor`."""
        query = paging.page(
            self._cursors, wanted, by=INCIDENTS, shop_id=shop_id, list_name="incidents"
        )
        async with self._db.read(shop_id) as session:
            rows = await lists.incidents(session, shop_id, after=query.after, limit=query.limit)
        return query.show(rows, _incident)

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
