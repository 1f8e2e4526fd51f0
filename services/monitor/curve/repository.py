"""Rows of minutes. Knows which rounds are waits; must not know who asks."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.monitor.curve.domain import MINUTE_MS, Minute, MinuteKey, Minutes, Wait
from services.monitor.fold.measures import Row, Stretch
from services.monitor.profiles.domain import PEOPLE_ALONE
from services.monitor.tables import many

TABLE: Final = "waiting_minutes"

PAGE: Final = 500
"""Waits that are read between two turns of the event loop."""


async def advance(session: AsyncSession, stretches: Sequence[Stretch]) -> list[Stretch]:
    """Note how far minutes are counted; return the stretches before which something is missing."""
    rows = sorted((of.partition, of.first, of.end) for of in stretches)
    names = ("partitions", "firsts", "ends")
    values = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
    if not values:
        return []
    found = set((await session.execute(_ADVANCE, values)).scalars())
    return [of for of in stretches if of.partition not in found]


async def begin(session: AsyncSession, of: Stretch) -> None:
    """Forget the minutes of a partition, which are counted through `of` from now on."""
    mine = {"partition": of.partition}
    await session.execute(_DROP, mine)
    await session.execute(_BEGIN, mine | {"end": of.end})


async def forget_mark(session: AsyncSession, partition: int) -> None:
    """Let the next batch count a partition's minutes anew."""
    await session.execute(_UNMARK, {"partition": partition})


async def add(session: AsyncSession, changes: Iterable[tuple[int, Minutes]]) -> None:
    """Add to the minutes of partitions, in one order."""
    rows = sorted(
        (partition, *key, *minute)
        for partition, minutes in changes
        for key, minute in minutes.items()
    )
    names = ("partitions", "shops", "minutes", "days", "opened", "closed", "carried")
    await many(session, _ADD, names=names, rows=rows)


async def waits(session: AsyncSession, partition: int) -> AsyncIterator[list[Wait]]:
    """Yield, page by page, what is stored of a partition's waits; that may be millions."""
    await session.execute(_MAY_TAKE_LONG)
    rows = await session.stream(_WAITS, {"partition": partition, "alone": PEOPLE_ALONE})
    async for page in rows.partitions(PAGE):
        yield [Wait(ShopId(shop), int(opened), int(closed)) for shop, opened, closed in page]
        await asyncio.sleep(0)


async def stored(session: AsyncSession, of: Stretch, offsets: Sequence[int]) -> list[Wait]:
    """Return the stored waits that began at these offsets."""
    asked = {
        "generation": of.generation,
        "partition": of.partition,
        "offsets": list(offsets),
        "alone": PEOPLE_ALONE,
    }
    rows = await session.execute(_STORED, asked)
    return [Wait(ShopId(shop), int(opened), int(closed)) for shop, opened, closed in rows]


async def kept(session: AsyncSession, partition: int) -> list[Row]:
    """Return the stored minutes of a partition, to be compared."""
    rows = await session.execute(_KEPT, {"partition": partition})
    return [
        row_of(MinuteKey(ShopId(shop), int(minute), day), Minute(*map(int, sums)))
        for shop, minute, day, *sums in rows
    ]


def row_of(key: MinuteKey, minute: Minute) -> Row:
    """Return a minute as it is compared; it rests on the whole log."""
    return Row(TABLE, (key.shop_id, key.minute), tuple(minute), 0, day=key.day)


async def minutes(session: AsyncSession, shop_id: ShopId, *, day: date) -> Mapping[int, Minute]:
    """Return the minutes of a shop's day in which something was settled."""
    rows = await session.execute(_DAY, {"shop": shop_id, "day": day})
    return {int(minute): Minute(*map(int, sums)) for minute, *sums in rows}


async def days(
    session: AsyncSession, shop_id: ShopId, *, start: date, end: date
) -> dict[date, dict[int, Minute]]:
    """Return the minutes of a shop's days `[start, end)` in which something was settled."""
    found: dict[date, dict[int, Minute]] = {}
    rows = await session.execute(_DAYS, {"shop": shop_id, "start": start, "end": end})
    for day, minute, *sums in rows:
        found.setdefault(day, {})[int(minute)] = Minute(*map(int, sums))
    return found


async def still(session: AsyncSession, shop_id: ShopId) -> list[tuple[int, int]]:
    """Return since which minutes how many of a shop's buyers wait now."""
    rows = await session.execute(_STILL, {"shop": shop_id, "minute": MINUTE_MS})
    return [(int(minute), int(count)) for minute, count in rows]


_MAY_TAKE_LONG: Final = text("set local statement_timeout = '10min'")
"""For a statement on a whole partition: refused each time, the fold would never begin."""

_ALONE: Final = """
    exists (select from unnest(readings) as r where r ~ cast(:alone as text))
"""
_ADVANCE: Final = text(
    """
    update waiting_marks set counted_to = u.e from unnest(
        cast(:partitions as integer[]), cast(:firsts as bigint[]), cast(:ends as bigint[]))
        as u(p, f, e)
    where partition = u.p and counted_to = u.f
    returning partition
    """
)
_BEGIN: Final = text(
    """
    insert into waiting_marks (partition, counted_to) values (:partition, :end)
    on conflict (partition) do update set counted_to = excluded.counted_to
    """
)
_UNMARK: Final = text("delete from waiting_marks where partition = :partition")
_DROP: Final = text("delete from waiting_minutes where partition = :partition")
_ADD: Final = text(
    """
    insert into waiting_minutes (partition, shop_id, minute, day, opened, closed, carried)
    select * from unnest(
        cast(:partitions as integer[]), cast(:shops as text[]), cast(:minutes as bigint[]),
        cast(:days as date[]), cast(:opened as bigint[]), cast(:closed as bigint[]),
        cast(:carried as bigint[]))
    on conflict (partition, shop_id, minute) do update set
        opened = waiting_minutes.opened + excluded.opened,
        closed = waiting_minutes.closed + excluded.closed,
        carried = waiting_minutes.carried + excluded.carried
    """
)
_WAITS: Final = text(
    f"""
    select distinct on (generation, opened_offset) shop_id, opened_ms, closed_ms from rounds
    where partition = :partition and {_ALONE}
    order by generation, opened_offset
    """
)
_STORED: Final = text(
    f"""
    select distinct on (opened_offset) shop_id, opened_ms, closed_ms from rounds
    where generation = :generation and partition = :partition
        and opened_offset = any(cast(:offsets as bigint[])) and rules = 2 and {_ALONE}
    order by opened_offset
    """
)
_KEPT: Final = text(
    """
    select shop_id, minute, day, opened, closed, carried from waiting_minutes
    where partition = :partition and (opened, closed, carried) <> (0, 0, 0)
    """
)
_DAY: Final = text(
    """
    select minute, sum(opened), sum(closed), sum(carried) from waiting_minutes
    where shop_id = :shop and day = :day
    group by minute
    """
)
_DAYS: Final = text(
    """
    select day, minute, sum(opened), sum(closed), sum(carried) from waiting_minutes
    where shop_id = :shop and day >= :start and day < :end
    group by day, minute
    """
)
_STILL: Final = text(
    """
    select oldest_round_ms / cast(:minute as bigint), count(*) from conversations
    where shop_id = :shop and (open or unsettled)
        and waiting_ms is not null and oldest_round_ms is not null
    group by 1
    """
)
