"""Rows of flags, and of the rules by which conversations were looked at."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.monitor.fold.measures import Row, Stretch
from services.monitor.reception.domain import Found, Span, Subject, flag_id, utc_day
from services.monitor.tables import many

TABLE: Final = "reception"


async def add(session: AsyncSession, found: Sequence[tuple[Stretch, Subject, Found]]) -> None:
    """Insert flags, or add to those that are there; in one order."""
    rows = sorted(
        (
            flag_id(of.generation, of.partition, (flag.offset, flag.rule)),
            of.generation, of.partition, *flag, *more[:3], _array(more.offsets),
        )
        for of, flag, more in found
    )  # fmt: skip
    names = ("ids", "generations", "partitions", "offsets", "rules", "shops", "conversations",
             "agents", "sessions", "births", "moments", "dues", "excused", "severities", "times",
             "seconds", "places")  # fmt: skip
    await many(session, _ADD, names=names, rows=rows)


async def add_spans(session: AsyncSession, spans: Sequence[tuple[Stretch, Span]]) -> None:
    """Insert from where on which rules were in force."""
    rows = [(of.generation, of.partition, *span) for of, span in spans]
    names = "generations", "partitions", "shops", "offsets", "rules"
    await many(session, _SPANS, names=names, rows=rows)


async def last_spans(session: AsyncSession, mine: Mapping[str, Any]) -> dict[ShopId, Span]:
    """Return by which rules each shop is looked at, and since which offset."""
    rows = await session.execute(_LAST_SPANS, mine)
    return {ShopId(shop): Span(ShopId(shop), at, rules) for shop, at, rules in rows}


async def remove(session: AsyncSession, mine: Mapping[str, Any]) -> None:
    """Remove what a fold from `first` on gives again."""
    await session.execute(_NO_FLAGS, mine)
    await session.execute(_NO_SPANS, mine)


async def kept(session: AsyncSession, mine: Mapping[str, Any]) -> list[Row]:
    """Return the stored flags of a generation's partition."""
    return [
        row_of(Subject(*flag), Found(severity, times, seconds, tuple(places)))
        for *flag, severity, times, seconds, places in await session.execute(_KEPT, mine)
    ]


def row_of(flag: Subject, found: Found) -> Row:
    """Return a flag as it is compared with what is stored."""
    key = (
        flag.offset, flag.rule, flag.shop_id, flag.conversation_id, flag.agent_id, flag.session,
        flag.at_ms, flag.excused,
    )  # fmt: skip
    return Row(TABLE, key, tuple(found), flag.born, day=utc_day(flag.at_ms))


def _array(places: Sequence[int]) -> str:
    return "{" + ",".join(map(str, places)) + "}"


_ADD: Final = text(
    """
    insert into reception (flag_id, generation, partition, "offset", rule, shop_id,
        conversation_id, agent_id, session, born_offset, at_ms, due_ms, excused, severity, times,
        seconds, offsets)
    select id, g, p, o, r, s, c, agent, session, born, at_ms, due_ms, excused, severity, n,
        seconds, cast(places as bigint[])
    from unnest(
        cast(:ids as text[]), cast(:generations as smallint[]), cast(:partitions as integer[]),
        cast(:offsets as bigint[]), cast(:rules as text[]), cast(:shops as text[]),
        cast(:conversations as text[]), cast(:agents as text[]), cast(:sessions as bigint[]),
        cast(:births as bigint[]), cast(:moments as bigint[]), cast(:dues as bigint[]),
        cast(:excused as boolean[]), cast(:severities as smallint[]), cast(:times as bigint[]),
        cast(:seconds as bigint[]), cast(:places as text[]))
        as f(id, g, p, o, r, s, c, agent, session, born, at_ms, due_ms, excused, severity, n,
            seconds, places)
    on conflict (flag_id) do update set
        severity = reception.severity + excluded.severity,
        times = reception.times + excluded.times,
        seconds = reception.seconds + excluded.seconds,
        offsets = reception.offsets || excluded.offsets
    """
)
_SPANS: Final = text(
    """
    insert into reception_spans (generation, partition, shop_id, first_offset, rules)
    select * from unnest(
        cast(:generations as smallint[]), cast(:partitions as integer[]),
        cast(:shops as text[]), cast(:offsets as bigint[]), cast(:rules as text[]))
    """
)
_LAST_SPANS: Final = text(
    """
    select distinct on (shop_id) shop_id, first_offset, rules from reception_spans
    where generation = :generation and partition = :partition
    order by shop_id, first_offset desc
    """
)
_NO_FLAGS: Final = text(
    """
    delete from reception
    where generation = :generation and partition = :partition and "offset" >= :first
    """
)
_NO_SPANS: Final = text(
    """
    delete from reception_spans
    where generation = :generation and partition = :partition and first_offset >= :first
    """
)
_KEPT: Final = text(
    """
    select "offset", rule, shop_id, conversation_id, agent_id, session, born_offset, at_ms,
        due_ms, excused, severity, times, seconds, offsets
    from reception where generation = :generation and partition = :partition
    """
)
