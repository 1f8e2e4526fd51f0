"""Pages of flags and incidents, newest first. Must not know cursors' signatures."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.monitor.models import FLAGS, INCIDENTS


class Place(NamedTuple):
    """The last item of a page."""

    at_ms: int
    id: str


async def flags(
    session: AsyncSession, shop_id: ShopId, *, after: Place | None, limit: int
) -> list[Any]:
    """Return at most `limit` flags older than `after`."""
    page = select(FLAGS).where(FLAGS.c.shop_id == shop_id)
    order = FLAGS.c.at_ms, FLAGS.c.message_id
    return list((await session.execute(_part(page, order, after=after, limit=limit))).all())


async def incidents(
    session: AsyncSession, shop_id: ShopId, *, after: Place | None, limit: int
) -> list[Any]:
    """Return at most `limit` incidents older than `after`."""
    page = select(INCIDENTS).where(INCIDENTS.c.shop_id == shop_id)
    order = INCIDENTS.c.held_ms, INCIDENTS.c.incident_id
    return list((await session.execute(_part(page, order, after=after, limit=limit))).all())


def _part(
    page: Select[Any],
    order: tuple[ColumnElement[Any], ColumnElement[Any]],
    *,
    after: Place | None,
    limit: int,
) -> Select[Any]:
    if after is not None:
        page = page.where(tuple_(*order) < tuple_(after.at_ms, after.id))
    return page.order_by(order[0].desc(), order[1].desc()).limit(limit)
