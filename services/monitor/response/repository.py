"""Stores rounds, sessions and totals; reads who waits for an answer. Must not know who asks."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, PersonId, ShopId
from services.monitor.fold.measures import Stretch
from services.monitor.profiles.domain import ProfileName, ReadingKey
from services.monitor.response import statements as sql
from services.monitor.response.domain import Round, Score, Scored, Session
from services.monitor.response.rollups import CounterKey
from services.monitor.response.schemas import (
    Evidence,
    StoredRow,
    reading_name,
    round_json,
    round_score,
    session_json,
    session_score,
)
from services.monitor.tables import columns, many


@dataclass(slots=True)
class KeptRows:
    """What is stored of one partition by the rules of today; totals hold older rows, too."""

    rows: list[StoredRow] = field(default_factory=list)
    counters: Mapping[CounterKey, Score] = field(default_factory=dict)
    summed: Mapping[CounterKey, Score] = field(default_factory=dict)
    """Totals as the stored rounds and sessions add up, whatever the counters say."""
    evidence: Evidence = field(default_factory=Evidence)


async def add_rounds(session: AsyncSession, ended: Sequence[tuple[Stretch, Round, Scored]]) -> None:
    """Insert rounds that ended."""
    rows = [
        (
            of.generation, of.partition, reading_name(r.readings), r.opened_offset, r.shop_id,
            r.conversation_id, r.buyer_id, r.agent_id, judged.day, r.opened_ms, r.closed_ms,
            r.waiting_since_ms, r.outcome, r.born_offset, round_json(judged.scores),
            r.settled_offset, r.unstaffed, r.session_offset,
        )
        for of, r, judged in ended
    ]  # fmt: skip
    names = ("generations", "partitions", "readings", "offsets", "shops", "conversations",
             "buyers", "agents", "days", "opened", "closed", "waits", "outcomes", "born",
             "judged", "settled", "unstaffed", "sessions")  # fmt: skip
    await many(session, sql.ROUNDS, names=names, rows=rows)


async def add_sessions(
    session: AsyncSession, settled: Sequence[tuple[Stretch, Session, Scored]]
) -> None:
    """Insert sessions that are settled."""
    rows = [
        (
            of.generation, of.partition, reading_name(s.readings), s.started_offset, s.shop_id,
            s.conversation_id, s.buyer_id, s.agent_id, judged.day, s.started_ms, s.to_human_ms,
            s.assigned_ms, s.replied_ms, s.born_offset, session_json(judged.scores),
            s.settled_offset, s.unstaffed,
        )
        for of, s, judged in settled
    ]  # fmt: skip
    names = ("generations", "partitions", "readings", "offsets", "shops", "conversations",
             "buyers", "agents", "days", "started", "to_human", "assigned", "replied", "born",
             "judged", "settled", "unstaffed")  # fmt: skip
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
    """Return what is stored of a generation's partition; that may be millions of rows."""
    await session.execute(_MAY_TAKE_LONG)
    found = KeptRows()
    for table, statement in (("rounds", sql.KEPT_ROUNDS), ("sessions", sql.KEPT_SESSIONS)):
        rows = await session.execute(statement, mine)
        for at, born, settled, unstaffed, readings, *plain in rows:
            found.rows.append(StoredRow(table, readings, at, born, settled, tuple(plain)))
            found.evidence.unstaffed[table, readings[0], at] = unstaffed
            if table == "rounds" and plain[-2] is None:
                found.evidence.unplaced.add((table, readings[0], at))
    found.counters = _totals(await session.execute(sql.KEPT_COUNTERS, mine))
    found.summed = _totals(await session.execute(sql.SUMMED, mine))
    return found


async def withdraw(
    session: AsyncSession, of: Stretch, *, rounds: Sequence[int], sessions: Sequence[int]
) -> dict[CounterKey, Score]:
    """Delete what was settled there before; return what that takes off the totals."""
    mine = {"generation": of.generation, "partition": of.partition}
    off: dict[CounterKey, Score] = {}
    for statement, offsets, score in (
        (sql.WITHDRAW_ROUNDS, rounds, round_score),
        (sql.WITHDRAW_SESSIONS, sessions, session_score),
    ):
        found = await session.execute(statement, mine | {"offsets": list(offsets)})
        for shop, agent, day, judged in found:
            for name, numbers in judged.items():
                key = CounterKey(ShopId(shop), ProfileName(name), day, agent and PersonId(agent))
                off[key] = off.get(key, Score()) + score(numbers).times(-1)
    return off


async def begin_anew(session: AsyncSession, of: Stretch) -> None:
    """Delete rounds and sessions from an offset on; sum up what stays.

    A partition of a million rows takes longer than a statement may elsewhere.
    """
    await session.execute(_MAY_TAKE_LONG)
    mine = {"generation": of.generation, "partition": of.partition, "first": of.first}
    for statement in (sql.DROP_ROUNDS, sql.DROP_SESSIONS):
        await session.execute(statement, mine)
    await session.execute(sql.DROP_COUNTERS, {"partition": of.partition})
    await session.execute(sql.SUM_UP, {"partition": of.partition})


class Provisional(NamedTuple):
    """A stored row of which it is not known yet whether the shop was staffed when it began."""

    generation: int
    partition: int
    reading: ReadingKey
    offset: int
    shop_id: ShopId
    agent_id: PersonId | None
    day: date
    at_ms: int
    judged: dict[ProfileName, list[int]]

    @property
    def name(self) -> tuple[Any, ...]:
        """Return what names it in its table."""
        return self[:4]


JUDGED: Final = ("rounds", "sessions")


async def provisional(
    session: AsyncSession, table: str, *, before_ms: int, limit: int
) -> list[Provisional]:
    """Return rows that began before a moment, the oldest first."""
    rows = await session.execute(sql.PROVISIONAL[table], {"before": before_ms, "limit": limit})
    return [Provisional(*row) for row in rows]


async def mend(
    session: AsyncSession, table: str, judged: Sequence[tuple[Provisional, bool]]
) -> set[tuple[Any, ...]]:
    """Store whether the shop was unstaffed, and the scores that are left.

    Return the names of the rows; one that another monitor was first at, or that is withdrawn, is
    not among them.
    """
    if not judged:
        return set()
    rows = [(*r.name, unstaffed, json.dumps(r.judged)) for r, unstaffed in judged]
    names = "generations", "partitions", "readings", "offsets", "unstaffed", "judged"
    values = dict(zip(names, columns(rows), strict=True))
    return {tuple(row) for row in await session.execute(sql.MEND[table], values)}


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
    noticed: int = 0
    warned: int = 0
    over: int = 0
    """Of who waits, how many are at a level of the screens or beyond it."""


class Wait(NamedTuple):
    """A buyer who waits for a person."""

    conversation_id: ConversationId
    agent_id: PersonId | None
    since_ms: int


async def loads(
    session: AsyncSession,
    shop_id: ShopId,
    *,
    breach_before_ms: int,
    levels_before_ms: Sequence[int] = (0, 0, 0),
) -> list[Load]:
    """Return open conversations and waits by owner.

    Since before `levels_before_ms` waits who is noticed, warned of and over the limit on screens.
    """
    notice, warn, over = levels_before_ms
    limits = {"breach": breach_before_ms, "notice": notice, "warn": warn, "over": over}
    rows = await session.execute(_LOADS, {"shop": shop_id} | limits)
    return [Load(*row) for row in rows]


async def waits(session: AsyncSession, shop_id: ShopId, *, limit: int) -> list[Wait]:
    """Return who waits, longest first."""
    rows = await session.execute(_WAITS, {"shop": shop_id, "limit": limit})
    return [Wait(*row) for row in rows]


async def unsettled(
    session: AsyncSession,
    shop_id: ShopId,
    *,
    nobody_waits: bool = False,
    waiting_ends_ms: int | None = None,
) -> AsyncIterator[list[tuple[bytes, int]]]:
    """Yield, page by page, states of which something is not settled, with their log times.

    `nobody_waits`: only those without an open round, or with one that is older than
    `waiting_ends_ms`. Others run between two pages.
    """
    found = await session.stream(
        _UNSETTLED, {"shop": shop_id, "silent": nobody_waits, "ends": waiting_ends_ms}
    )
    async for page in found.partitions(PAGE):
        yield [(bytes(state), int(log_ms)) for state, log_ms in page]
        await asyncio.sleep(0)


PAGE: Final = 64
"""States that are judged between two turns of the event loop, on which the fold runs, too."""

_MAY_TAKE_LONG: Final = text("set local statement_timeout = '10min'")
"""For statements on a whole partition: refused each time, the fold would never begin."""

_UNSETTLED: Final = text(
    """
    select state, greatest(log_ms, caught_up_ms) from conversations
    join partitions using (partition)
    where shop_id = :shop and (open or unsettled) and unsettled
        and (not cast(:silent as boolean) or oldest_round_ms is null
            or oldest_round_ms <= greatest(log_ms, caught_up_ms) - cast(:ends as bigint))
    """
)
_LOADS: Final = text(
    """
    select owner, count(*) filter (where open), count(waiting_ms), min(waiting_ms),
        count(*) filter (where waiting_ms <= :breach),
        count(*) filter (where waiting_ms <= :notice),
        count(*) filter (where waiting_ms <= :warn), count(*) filter (where waiting_ms <= :over)
    from conversations
    where shop_id = :shop and (open or unsettled)
    group by owner
    """
)
_WAITS: Final = text(
    """
    select conversation_id, owner, waiting_ms from conversations
    where shop_id = :shop and (open or unsettled) and waiting_ms is not null
    order by waiting_ms, conversation_id limit :limit
    """
)
