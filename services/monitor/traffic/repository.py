"""Rows of traffic. Must not know who asks."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.monitor.fold.measures import Row, Stretch
from services.monitor.tables import many
from services.monitor.traffic.domain import SUMS, Traffic, TrafficKey


async def add(
    session: AsyncSession, changes: Iterable[tuple[Stretch, TrafficKey, Traffic]]
) -> None:
    """Add sums to their days, in one order."""
    rows = sorted((of.partition, *key, *t.sums, t.as_of_ms, of.end) for of, key, t in changes)
    names = ("partitions", "shops", "days", *SUMS, "as_of", "revisions")
    await many(session, _ADD, names=names, rows=rows)


async def kept(
    session: AsyncSession, mine: Mapping[str, Any]
) -> tuple[list[Row], frozenset[tuple[Any, ...]]]:
    """Return the stored sums of a partition by shop and day, and which are absent there."""
    rows: list[Row] = []
    absent: set[tuple[Any, ...]] = set()
    for shop, day, *numbers in await session.execute(_KEPT, mine):
        for name, number in zip(SUMS, numbers, strict=True):
            if number is None:
                absent.add((shop, day, name))
            else:
                rows.append(Row("traffic", (shop, day, name), (int(number),), 0, day=day))
    return rows, frozenset(absent)


async def days(
    session: AsyncSession, shop_id: ShopId, *, start: date, end: date
) -> dict[date, dict[str, int | None]]:
    """Return the sums of the days `[start, end)` on which something was said.

    None where a sum came in the midst of the day, or later.
    """
    rows = await session.execute(_DAYS, {"shop": shop_id, "start": start, "end": end})
    return {
        day: {
            name: None if number is None else int(number)
            for name, number in zip(SUMS, numbers, strict=True)
        }
        for day, *numbers in rows
    }


async def as_of_ms(session: AsyncSession, shop_id: ShopId) -> int | None:
    """Return the newest folded event's time."""
    found = (await session.execute(_AS_OF, {"shop": shop_id})).scalar()
    return None if found is None else int(found)


def _each(form: str) -> str:
    """Write the columns of all sums in one form, `{}` standing for the name."""
    return ", ".join(form.format(name) for name in SUMS)


_AS_OF: Final = text(
    """
    select max(as_of_ms) from traffic
    where shop_id = :shop and day = (select max(day) from traffic where shop_id = :shop)
    """
)
"""The newest event falls on the newest day: older days of the shop are not read."""
_ADD: Final = text(
    f"""
    insert into traffic (partition, shop_id, day, {_each("{}")}, flags_agent, flags_buyer,
        as_of_ms, revision)
    select p, s, d, {_each("{}")}, 0, 0, m, r from unnest(
        cast(:partitions as integer[]), cast(:shops as text[]), cast(:days as date[]),
        {_each("cast(:{} as bigint[])")},
        cast(:as_of as bigint[]), cast(:revisions as bigint[]))
        as u(p, s, d, {_each("{}")}, m, r)
    on conflict (partition, shop_id, day) do update set
        {_each("{0} = traffic.{0} + excluded.{0}")},
        as_of_ms = greatest(traffic.as_of_ms, excluded.as_of_ms),
        revision = excluded.revision
    """
)
_KEPT: Final = text(f"select shop_id, day, {_each('{}')} from traffic where partition = :partition")
_DAYS: Final = text(
    f"""
    select day, {_each("case when count({0}) = count(*) then sum({0}) end")}
    from traffic where shop_id = :shop and day >= :start and day < :end
    group by day order by day
    """
)
