"""Rows of incidents, and pages of flags and incidents, newest first. Must not know cursors."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from contracts.gateway import MessageHeld
from contracts.people import ShopId
from services.monitor.evidence.models import IncidentRow
from services.monitor.wording.models import FlagRow

Query = TypeVar("Query", bound=Select[Any])


class Place(NamedTuple):
    """The last item of a page."""

    at_ms: int
    id: str


async def add_incident(session: AsyncSession, held: MessageHeld, categories: Sequence[str]) -> bool:
    """Insert an incident; return False if it is stored already."""
    statement = (
        insert(IncidentRow)
        .values(
            incident_id=held.id,
            shop_id=held.shop_id,
            conversation_id=held.conversation_id,
            agent_id=held.agent_id,
            client_id=held.client_id,
            action=held.action,
            text=held.text,
            categories=list(categories),
            hits=[json.loads(hit.model_dump_json()) for hit in held.hits],
            lexicon_version=held.lexicon_version,
            policy_version=held.policy_version,
            held_ms=round(held.time.timestamp() * 1000),
        )
        .on_conflict_do_nothing()
        .returning(IncidentRow.incident_id)
    )
    return (await session.execute(statement)).scalar() is not None


async def flags(
    session: AsyncSession, shop_id: ShopId, *, after: Place | None, limit: int
) -> Sequence[FlagRow]:
    """Return at most `limit` flags older than `after`."""
    page = select(FlagRow).where(FlagRow.shop_id == shop_id)
    order = FlagRow.at_ms, FlagRow.message_id
    return (await session.scalars(_part(page, order, after=after, limit=limit))).all()


async def incidents(
    session: AsyncSession, shop_id: ShopId, *, after: Place | None, limit: int
) -> Sequence[IncidentRow]:
    """Return at most `limit` incidents older than `after`."""
    page = select(IncidentRow).where(IncidentRow.shop_id == shop_id)
    order = IncidentRow.held_ms, IncidentRow.incident_id
    return (await session.scalars(_part(page, order, after=after, limit=limit))).all()


def _part(
    page: Query,
    order: tuple[InstrumentedAttribute[int], InstrumentedAttribute[str]],
    *,
    after: Place | None,
    limit: int,
) -> Query:
    if after is not None:
        page = page.where(tuple_(*order) < tuple_(after.at_ms, after.id))
    return page.order_by(order[0].desc(), order[1].desc()).limit(limit)
