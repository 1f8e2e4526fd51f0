"""Rows of traffic and of turns. Must not know who asks."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, ShopId
from contracts.topics import CHAT
from kit import positions
from services.monitor.fold.measures import Row, Stretch
from services.monitor.fold.repository import CONSUMER
from services.monitor.tables import many
from services.monitor.traffic import statements as sql
from services.monitor.traffic.domain import SUMS, Traffic, TrafficKey
from services.monitor.traffic.turns import ToldTurn, TurnSpan


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


class Where(NamedTuple):
    """Where turns are told: since when, and below which record they were told to others."""

    span: TurnSpan | None
    told_before: int


async def last_span(session: AsyncSession, *, generation: int, partition: int) -> Where:
    """Return the span that goes on where the fold of a partition stands; None: a new one begins."""
    stands = await positions.load(session, CONSUMER, topic=CHAT.name, partition=partition)
    mine = {"generation": generation, "partition": partition}
    found = (await session.execute(sql.LAST_SPAN, mine)).one_or_none()
    if found is None or stands is None or found.told_to != stands:
        return Where(None, stands or 0)
    return Where(TurnSpan(int(found.first_offset), int(found.since_ms)), int(found.first_offset))


async def told_since_ms(session: AsyncSession) -> int | None:
    """Return since when turns are told in all partitions; None: in none."""
    found = (await session.execute(sql.TOLD_SINCE)).scalar()
    return None if found is None else int(found)


async def spans(session: AsyncSession, mine: Mapping[str, Any]) -> list[TurnSpan]:
    """Return of which parts of a partition's log turns are told."""
    return [TurnSpan(*map(int, row)) for row in await session.execute(sql.SPANS, mine)]


async def advance(session: AsyncSession, told: Iterable[tuple[Stretch, TurnSpan]]) -> None:
    """Note how far turns are told."""
    rows = sorted(
        (of.generation, of.partition, span.first_offset, span.since_ms, of.end) for of, span in told
    )
    names = ("generations", "partitions", "firsts", "since", "ends")
    await many(session, sql.ADVANCE, names=names, rows=rows)


async def put_turns(session: AsyncSession, told: Iterable[tuple[Stretch, ToldTurn, date]]) -> None:
    """Write turns whole, new ones and those that went on, each with its day."""
    rows = [
        (
            of.generation, of.partition, turn.first_offset, by.shop_id, by.name, by.buyer_id,
            turn.agent_id, turn.owned, day, turn.from_ms, turn.last_ms, turn.until_ms,
            turn.buyer_words, len(turn.agent_ms), _array(turn.agent_ms),
            _array(turn.agent_offsets), by.born_offset,
        )
        for of, (turn, by), day in told
    ]  # fmt: skip
    names = ("generations", "partitions", "firsts", "shops", "conversations", "buyers", "agents",
             "owned", "days", "from_ms", "last_ms", "until_ms", "buyer_words", "agent_words",
             "agent_ms", "agent_offsets", "born")  # fmt: skip
    await many(session, sql.TURNS, names=names, rows=rows)


async def withdraw(session: AsyncSession, of: Stretch, firsts: Iterable[int]) -> None:
    """Delete turns in which nothing is left."""
    mine = {"generation": of.generation, "partition": of.partition, "firsts": list(firsts)}
    await session.execute(sql.WITHDRAW, mine)


async def kept_turns(session: AsyncSession, mine: Mapping[str, Any]) -> list[Row]:
    """Return the stored turns of a generation's partition; that may be millions."""
    await session.execute(sql.MAY_TAKE_LONG)
    found: list[Row] = []
    for first, born, *plain, ms, offsets in await session.execute(sql.KEPT_TURNS, mine):
        values = (*plain, tuple(ms), tuple(offsets))
        found.append(Row("turns", (first,), values, born, ConversationId(plain[1]), plain[5]))
    return found


def _array(numbers: Iterable[int]) -> str:
    """Write numbers as PostgreSQL reads an array of them: `unnest` takes none of arrays."""
    return f"{{{','.join(map(str, numbers))}}}"


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
