"""Stores rounds, sessions and totals; reads who waits for an answer. Must not know who asks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, PersonId, ShopId
from services.monitor.fold.measures import Row, Stretch
from services.monitor.profiles.domain import ProfileName
from services.monitor.response import statements as sql
from services.monitor.response.domain import Judged, Round, Score, Session
from services.monitor.response.rollups import CounterKey
from services.monitor.response.schemas import reading_name, round_json, session_json
from services.monitor.tables import many


@dataclass(slots=True)
class KeptRows:
    """What is stored of one partition. Rows are flat, judged scores included as JSON."""

    rows: list[Row] = field(default_factory=list)
    counters: Mapping[CounterKey, Score] = field(default_factory=dict)
    summed: Mapping[CounterKey, Score] = field(default_factory=dict)
    """Totals as the stored rounds and sessions add up, whatever the counters say."""


async def add_rounds(session: AsyncSession, ended: Sequence[tuple[Stretch, Round, Judged]]) -> None:
    """Insert rounds that ended."""
    rows = [
        (
            of.generation, of.partition, reading_name(r.readings), r.opened_offset, r.shop_id,
            r.conversation_id, r.buyer_id, r.agent_id, judged.day, r.opened_ms, r.closed_ms,
            r.waiting_since_ms, r.outcome, r.born_offset, round_json(judged.scores),
        )
        for of, r, judged in ended
    ]  # fmt: skip
    names = ("generations", "partitions", "readings", "offsets", "shops", "conversations",
             "buyers", "agents", "days", "opened", "closed", "waits", "outcomes", "born",
             "judged")  # fmt: skip
    await many(session, sql.ROUNDS, names=names, rows=rows)


async def add_sessions(
    session: AsyncSession, settled: Sequence[tuple[Stretch, Session, Judged]]
) -> None:
    """Insert sessions that are settled."""
    rows = [
        (
            of.generation, of.partition, reading_name(s.readings), s.started_offset, s.shop_id,
            s.conversation_id, s.buyer_id, s.agent_id, judged.day, s.started_ms, s.to_human_ms,
            s.assigned_ms, s.replied_ms, s.born_offset, session_json(judged.scores),
        )
        for of, s, judged in settled
    ]  # fmt: skip
    names = ("generations", "partitions", "readings", "offsets", "shops", "conversations",
             "buyers", "agents", "days", "started", "to_human", "assigned", "replied", "born",
             "judged")  # fmt: skip
    await many(session, sql.SESSIONS, names=names, rows=rows)


async def count(session: AsyncSession, totals: Iterable[tuple[int, CounterKey, Score]]) -> None:
    """Add scores to the totals of a partition, in one order: so two writers cannot deadlock."""
    rows = sorted(
        (
            partition, key.shop_id, key.profile, key.day, key.agent_id or "",
            s.rounds, s.round_ms, s.unanswered, s.within, s.slow,
            s.sessions, s.first_responses, s.first_response_ms, s.first_within,
        )
        for partition, key, s in totals
    )  # fmt: skip
    names = ("partitions", "shops", "profiles", "days", "agents", "rounds", "round_ms",
             "unanswered", "within", "slow", "sessions", "first_responses", "first_response_ms",
             "first_within")  # fmt: skip
    await many(session, sql.COUNTERS, names=names, rows=rows)


async def kept(session: AsyncSession, mine: Mapping[str, Any]) -> KeptRows:
    """Return what is stored of a generation's partition."""
    found = KeptRows()
    for table, statement in (("rounds", sql.KEPT_ROUNDS), ("sessions", sql.KEPT_SESSIONS)):
        for reading, at, born, *columns in await session.execute(statement, mine):
            row = Row(table, (reading, at), tuple(columns), born, ConversationId(columns[1]))
            found.rows.append(row)
    found.counters = _totals(await session.execute(sql.KEPT_COUNTERS, mine))
    found.summed = _totals(await session.execute(sql.SUMMED, mine))
    return found


def _totals(rows: Any) -> dict[CounterKey, Score]:
    found = {
        CounterKey(
            ShopId(shop), ProfileName(profile), day, PersonId(agent) if agent else None
        ): Score(*map(int, sums))
        for shop, profile, day, agent, *sums in rows
    }
    return {key: score for key, score in found.items() if score != Score()}


class Load(NamedTuple):
    """Conversations of one owner; None: nobody's."""

    agent_id: PersonId | None
    open: int
    waiting: int
    oldest_wait_ms: int | None
    breaching: int


class Wait(NamedTuple):
    """A buyer who waits for a person."""

    conversation_id: ConversationId
    agent_id: PersonId | None
    since_ms: int


async def loads(session: AsyncSession, shop_id: ShopId, *, breach_before_ms: int) -> list[Load]:
    """Return open conversations and waits by owner."""
    rows = await session.execute(_LOADS, {"shop": shop_id, "breach": breach_before_ms})
    return [Load(*row) for row in rows]


async def waits(session: AsyncSession, shop_id: ShopId, *, limit: int) -> list[Wait]:
    """Return who waits, longest first."""
    rows = await session.execute(_WAITS, {"shop": shop_id, "limit": limit})
    return [Wait(*row) for row in rows]


_LOADS: Final = text(
    """
    select owner, count(*) filter (where open), count(waiting_ms), min(waiting_ms),
        count(*) filter (where waiting_ms <= :breach)
    from conversations
    where shop_id = :shop and (open or oldest_round_ms is not null)
    group by owner
    """
)
_WAITS: Final = text(
    """
    select conversation_id, owner, waiting_ms from conversations
    where shop_id = :shop and (open or oldest_round_ms is not null) and waiting_ms is not null
    order by waiting_ms, conversation_id limit :limit
    """
)
