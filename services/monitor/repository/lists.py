"""Pages of flags and incidents, newest first. Must not know cursors' signatures."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from contracts.people import ShopId
from services.monitor.models import FlagRow, IncidentRow

Query = TypeVar("Query", bound=Select[Any])


class Place(NamedTuple):
    """The last item of a page."""

    at_ms: int
    id: str


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
