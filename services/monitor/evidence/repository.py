"""Rows of incidents and confirmations, and pages of flags and incidents, newest first.

Must not know cursors.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from contracts.gateway import MessageHeld, WordingConfirmed, WordingHit
from contracts.people import ShopId
from services.monitor.evidence.models import ConfirmationRow, IncidentRow
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
            hits=_stored(held.hits),
            lexicon_version=held.lexicon_version,
            policy_version=held.policy_version,
            held_ms=round(held.time.timestamp() * 1000),
        )
        .on_conflict_do_nothing()
        .returning(IncidentRow.incident_id)
    )
    return (await session.execute(statement)).scalar() is not None


async def add_confirmation(session: AsyncSession, confirmed: WordingConfirmed) -> None:
    """Insert why a message was meant; the first reason stands."""
    await session.execute(
        insert(ConfirmationRow)
        .values(
            message_id=confirmed.message_id,
            incident_id=confirmed.incident_id,
            shop_id=confirmed.shop_id,
            conversation_id=confirmed.conversation_id,
            agent_id=confirmed.agent_id,
            reason=confirmed.reason,
            hits=_stored(confirmed.hits),
            lexicon_version=confirmed.lexicon_version,
            confirmed_ms=round(confirmed.time.timestamp() * 1000),
        )
        .on_conflict_do_nothing()
    )


async def confirmations(
    session: AsyncSession, shop_id: ShopId, incidents: Sequence[str]
) -> dict[str, ConfirmationRow]:
    """Return what was meant of these incidents, by incident."""
    found = select(ConfirmationRow).where(
        ConfirmationRow.incident_id.in_(incidents), ConfirmationRow.shop_id == shop_id
    )
    return {row.incident_id: row for row in await session.scalars(found)}


def _stored(hits: Sequence[WordingHit]) -> list[dict[str, Any]]:
    return [json.loads(hit.model_dump_json()) for hit in hits]


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
