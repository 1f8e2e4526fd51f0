"""Reads figures of any stretch of time from the stored rounds and sessions.

Knows how rows were judged when they were stored; must not know profiles' rules.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, PersonId, ShopId
from kit import sketch
from kit.sketch import Sketch
from services.monitor.figures import statements as sql
from services.monitor.figures.metrics import Anchored, Buyers, Missed, Spread, WholeSessions
from services.monitor.profiles.domain import ProfileName, ReadingKey
from services.monitor.response.domain import Score


@dataclass(frozen=True, slots=True)
class Asked:
    """Which figures: `[start_ms, end_ms)`, of one agent or of all, one row or one per agent."""

    shop_id: ShopId
    profile: ProfileName
    start_ms: int
    end_ms: int
    agent_id: PersonId | None = None
    by_agent: bool = False
    parts: Sequence[int] = ()
    """Where parts begin, ascending, the first with the stretch; empty: it is not cut."""
    by_shift: bool = False
    """Every second part lies between two shifts, and counts nowhere."""

    def part_of(self, at_ms: int) -> int:
        """Return the number of a moment's part, from 1; 0 where the stretch is not cut."""
        return bisect_right(self.parts, at_ms)

    def counts(self, part: int) -> bool:
        """Tell whether a part has rows."""
        return not self.by_shift or part % 2 == 1

    def end_of(self, part: int) -> int:
        """Return where a part ends."""
        return self.parts[part] if 0 < part < len(self.parts) else self.end_ms

    def holds(self, at_ms: int) -> bool:
        """Tell whether a moment lies in the stretch."""
        return self.start_ms <= at_ms < self.end_ms

    def is_of(self, agent_id: PersonId | None) -> bool:
        """Tell whether what an agent has is asked for."""
        return self.agent_id is None or agent_id == self.agent_id


class RowKey(NamedTuple):
    """Which row something counts in: the number of its part, and whose it is."""

    part: int
    agent_id: PersonId | None


class OpenRound(NamedTuple):
    """A round as if nobody answered any more: it counts as unanswered, though nothing is stored."""

    at_ms: int
    agent_id: PersonId | None
    buyer_id: PersonId
    day: date
    conversation_id: ConversationId
    session_offset: int | None
    score: Score


class OpenSession(NamedTuple):
    """A session without a response that nothing has settled yet."""

    at_ms: int
    agent_id: PersonId | None
    conversation_id: ConversationId
    offset: int
    day: date
    score: Score


class RoundTotals(NamedTuple):
    """Rounds of one agent, or of the shop (None: all, or nobody's), in one part."""

    key: RowKey
    score: Score
    answered: int = 0
    """So many percentiles are of; where they are many, `spread` is not read with the rest."""
    spread: Spread = Spread()
    buyers: Buyers = Buyers()


class SessionTotals(NamedTuple):
    """First responses of one agent, or of the shop, in one part."""

    score: Score = Score()
    anchored: Anchored = Anchored()


async def rounds(
    session: AsyncSession, query: Asked, still_open: Sequence[OpenRound], *, slow_times: int
) -> dict[RowKey, RoundTotals]:
    """Return rounds by agent, or one row for all."""
    asked = _where(query) | _open_rounds(still_open) | {
        "slow_times": slow_times,
        "exact_up_to": sketch.EXACT_UP_TO,
    }  # fmt: skip
    found: dict[RowKey, RoundTotals] = {}
    for percentiles, longest, part, agent, *sums in await session.execute(sql.ROUNDS, asked):
        count, total_ms, unanswered, within, slow, answered, *buyers = map(int, sums)
        key, score = RowKey(part, agent), Score(count, total_ms, unanswered, within, slow)
        spread = _exact(percentiles, longest, answered)
        found[key] = RoundTotals(key, score, answered, spread, Buyers(*buyers))
    many = {key: one.answered for key, one in found.items() if one.answered > sketch.EXACT_UP_TO}
    for key, spread in (await spreads(session, query, "rounds", samples=many)).items():
        found[key] = found[key]._replace(spread=spread)
    return found


async def sessions(
    session: AsyncSession, query: Asked, still_open: Sequence[OpenSession]
) -> dict[RowKey, SessionTotals]:
    """Return first responses by part and agent, or one row for all under the key None."""
    found: dict[RowKey, SessionTotals] = {}
    for part, agent, *sums in await session.execute(sql.SESSIONS, _where(query)):
        counted, answered, total_ms, within, *anchored = (int(one or 0) for one in sums)
        score = Score(
            sessions=counted,
            first_responses=answered,
            first_response_ms=total_ms,
            first_within=within,
        )
        found[RowKey(part, agent)] = SessionTotals(score, Anchored(*anchored))
    for extra in still_open:
        key = key_of(query, extra.at_ms, extra.agent_id)
        known = found.get(key, SessionTotals())
        found[key] = known._replace(score=known.score + extra.score)
    return found


async def spreads(
    session: AsyncSession, query: Asked, table: str, *, samples: Mapping[RowKey, int]
) -> dict[RowKey, Spread]:
    """Return percentiles of what answers took in a table; more than so many from bins (N8)."""
    many = [key for key, count in samples.items() if count > sketch.EXACT_UP_TO]
    asked = _where(query) | {"many": [f"{part}/{agent or ''}" for part, agent in many]}
    found: dict[RowKey, Spread] = {}
    if len(many) < len(samples):
        for part, agent, count, percentiles, most in await session.execute(sql.EXACT[table], asked):
            found[RowKey(part, agent)] = _exact(percentiles, most, int(count))
    if many:
        counted: dict[RowKey, Sketch] = defaultdict(Sketch)
        edges = {"edges": list(sketch.EDGES)}
        for part, agent, number, count, most in await session.execute(
            sql.IN_BINS[table], asked | edges
        ):
            key = RowKey(part, agent)
            counted[key] += Sketch({min(number, len(sketch.EDGES) - 1): int(count)}, most)
        found |= {key: _spread(one) for key, one in counted.items()}
    return found


async def whole_sessions(
    session: AsyncSession,
    query: Asked,
    *,
    open_rounds: Sequence[OpenRound],
    open_sessions: Sequence[OpenSession],
    day_over_ms: int,
) -> dict[RowKey, WholeSessions]:
    """Return sessions with a round on their day, and of how many each round was in time."""
    asked = _where(query) | _open_rounds(open_rounds) | {
        "day_over": day_over_ms,
        "begun_moments": [one.at_ms for one in open_sessions],
        "begun_agents": [one.agent_id for one in open_sessions],
        "begun_conversations": [one.conversation_id for one in open_sessions],
        "begun_offsets": [one.offset for one in open_sessions],
        "begun_days": [one.day for one in open_sessions],
    }  # fmt: skip
    rows = await session.execute(sql.WHOLE_SESSIONS, asked)
    return {RowKey(part, agent): WholeSessions(*map(int, sums)) for part, agent, *sums in rows}


async def unplaced_through(session: AsyncSession, query: Asked) -> date | None:
    """Return the last day with rounds of which it is not known whose session's they are."""
    found: date | None = (await session.execute(sql.UNPLACED, _where(query))).scalar()
    return found


@dataclass(frozen=True, slots=True)
class Hours:
    """When sessions count: where the hours of days begin and end in turn, and the days do."""

    edges: Sequence[int]
    midnights: Sequence[int]
    to_human: bool
    """By when they came to a person, not by when they started."""
    reading: ReadingKey


async def missed(session: AsyncSession, query: Asked, hours: Hours) -> dict[RowKey, Missed]:
    """Return settled sessions, and those of them that nobody answered on their day."""
    asked = _where(query) | {
        "hours": list(hours.edges),
        "midnights": list(hours.midnights),
        "to_human": hours.to_human,
        "readings": [hours.reading],
    }
    rows = await session.execute(sql.MISSED, asked)
    return {RowKey(part, agent): Missed(*map(int, sums)) for part, agent, *sums in rows}


async def present(session: AsyncSession, query: Asked) -> set[int]:
    """Return the parts in which anything is stored, whether it counts or not."""
    return {part for (part,) in await session.execute(sql.PRESENT, _where(query))}


async def count_open(session: AsyncSession, query: Asked) -> int:
    """Return how many buyers wait since a moment within the stretch."""
    found = await session.execute(
        sql.COUNT_OPEN, {"shop": query.shop_id, "start": query.start_ms, "end": query.end_ms}
    )
    return int(found.scalar() or 0)


def key_of(query: Asked, at_ms: int, agent_id: PersonId | None) -> RowKey:
    """Return the row in which a moment of an agent's counts."""
    return RowKey(query.part_of(at_ms), agent_id if query.by_agent else None)


def _where(query: Asked) -> dict[str, Any]:
    return {
        "shop": query.shop_id,
        "profile": query.profile,
        "start": query.start_ms,
        "end": query.end_ms,
        "agent": query.agent_id,
        "by_agent": query.by_agent,
        "parts": list(query.parts),
    }


def _open_rounds(still_open: Sequence[OpenRound]) -> dict[str, Any]:
    scores = [one.score for one in still_open]
    return {
        "open_moments": [one.at_ms for one in still_open],
        "open_agents": [one.agent_id for one in still_open],
        "open_buyers": [one.buyer_id for one in still_open],
        "open_days": [one.day for one in still_open],
        "open_conversations": [one.conversation_id for one in still_open],
        "open_sessions": [one.session_offset for one in still_open],
        "open_rounds": [score.rounds for score in scores],
        "open_ms": [score.round_ms for score in scores],
        "open_unanswered": [score.unanswered for score in scores],
        "open_within": [score.within for score in scores],
        "open_slow": [score.slow for score in scores],
    }


def _exact(percentiles: Sequence[int] | None, longest_ms: int | None, samples: int) -> Spread:
    p50, p90, p95, p99 = percentiles or (None, None, None, None)
    return Spread(p50, p90, p95, p99, longest_ms, samples)


def _spread(counted: Sketch) -> Spread:
    p50, p90, p95, p99 = (counted.percentile(permille) for permille in (500, 900, 950, 990))
    return Spread(p50, p90, p95, p99, counted.longest_ms, counted.samples, exact=False)
