"""What supervisors look into: keeps held messages, answers pages of flags and incidents."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from contracts.gateway import MessageHeld, WordingConfirmed, WordingHit
from contracts.monitor import IncidentStored
from contracts.people import MessageId, ShopId
from kit import outbox
from kit.ids import derived_id
from kit.postgres import Database
from kit.web import paging
from kit.web.paging import Cursors, Page, Paged
from services.monitor.evidence import repository
from services.monitor.evidence.models import ConfirmationRow, IncidentRow
from services.monitor.evidence.repository import Place
from services.monitor.evidence.schemas import Confirmation, Flag, Incident
from services.monitor.wording.models import FlagRow


def _place(kept: Mapping[str, Any]) -> Place:
    return Place(int(kept["at"]), str(kept["id"]))


FLAGS: Final[paging.Order[FlagRow, Place]] = paging.Order(
    lambda row: {"at": row.at_ms, "id": row.message_id}, _place
)
INCIDENTS: Final[paging.Order[IncidentRow, Place]] = paging.Order(
    lambda row: {"at": row.held_ms, "id": row.incident_id}, _place
)


class Evidence:
    """Held messages are kept once; lists are pages of one shop, newest first."""

    def __init__(self, database: Database, cursors: Cursors) -> None:
        self._db = database
        self._cursors = cursors

    async def keep_incident(self, held: MessageHeld) -> None:
        """Store a held message and tell supervisors, once."""
        categories = tuple(sorted({hit.category for hit in held.hits}))
        async with self._db.write(held.shop_id) as session:
            if await repository.add_incident(session, held, categories):
                await outbox.add(
                    session,
                    IncidentStored(
                        id=derived_id("incident_stored", held.id),
                        time=held.time,
                        shop_id=held.shop_id,
                        incident_id=held.id,
                        conversation_id=held.conversation_id,
                        agent_id=held.agent_id,
                        action=held.action,
                        categories=categories,
                    ),
                )

    async def keep_confirmation(self, confirmed: WordingConfirmed) -> None:
        """Store why a message was meant, once; of several reasons the first stands."""
        async with self._db.write(confirmed.shop_id) as session:
            await repository.add_confirmation(session, confirmed)

    async def flags(self, shop_id: ShopId, wanted: Paged) -> Page[Flag]:
        """Return a page of flags. Raises `BadCursor`."""
        query = paging.page(self._cursors, wanted, by=FLAGS, shop_id=shop_id, list_name="flags")
        async with self._db.read(shop_id) as session:
            rows = await repository.flags(session, shop_id, after=query.after, limit=query.limit)
        return query.show(rows, _flag)

    async def incidents(self, shop_id: ShopId, wanted: Paged) -> Page[Incident]:
        """Return a page of incidents. Raises `BadCursor`."""
        query = paging.page(
            self._cursors, wanted, by=INCIDENTS, shop_id=shop_id, list_name="incidents"
        )
        async with self._db.read(shop_id) as session:
            rows = await repository.incidents(
                session, shop_id, after=query.after, limit=query.limit
            )
            ids = [row.incident_id for row in rows]
            meant = await repository.confirmations(session, shop_id, ids)
        return query.show(rows, lambda row: _incident(row, meant.get(row.incident_id)))


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


def _incident(row: Any, meant: ConfirmationRow | None) -> Incident:
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
        confirmed=None if meant is None else confirmation(meant),
    )


def confirmation(row: ConfirmationRow) -> Confirmation:
    """Return what is shown of a confirmation."""
    return Confirmation(
        message_id=MessageId(row.message_id), reason=row.reason, at=_moment(row.confirmed_ms)
    )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
