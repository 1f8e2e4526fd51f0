"""Reads figures of any stretch of time from the stored rounds and sessions.

Knows how rows were judged when they were stored; must not know profiles' rules.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, ShopId
from services.monitor.profiles.domain import ProfileName
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
    score: Score


class OpenSession(NamedTuple):
    """A session without a response that nothing has settled yet."""

    at_ms: int

    agent_id: PersonId | None
    score: Score


class Spread(NamedTuple):
    """Response times of answered rounds, exact; None where there are none."""

    p50_ms: int | None
    p90_ms: int | None
    p95_ms: int | None
    max_ms: int | None


class RoundTotals(NamedTuple):
    """Rounds of one agent, or of the shop (None: all, or nobody's), in one part."""

    key: RowKey
    score: Score
    spread: Spread
    buyers: int
    buyers_unanswered: int
    buyers_late: int


async def rounds(
    session: AsyncSession, query: Asked, still_open: Sequence[OpenRound]
) -> list[RoundTotals]:
    """Return rounds by agent, or one row for all."""
    scores = [o.score for o in still_open]
    rows = await session.execute(
        _ROUNDS,
        _where(query)
        | {
            "open_moments": [o.at_ms for o in still_open],
            "open_agents": [o.agent_id for o in still_open],
            "open_buyers": [o.buyer_id for o in still_open],
            "open_days": [o.day for o in still_open],
            "open_rounds": [s.rounds for s in scores],
            "open_ms": [s.round_ms for s in scores],
            "open_unanswered": [s.unanswered for s in scores],
            "open_within": [s.within for s in scores],
            "open_slow": [s.slow for s in scores],
        },
    )
    return [_round_totals(row) for row in rows]


async def sessions(
    session: AsyncSession, query: Asked, still_open: Sequence[OpenSession]
) -> dict[RowKey, Score]:
    """Return first responses by part and agent, or one row for all under the key None."""
    found: dict[RowKey, Score] = {}
    rows = await session.execute(_SESSIONS, _where(query))
    for part, agent, *sums in rows:
        counted, answered, total_ms, within = map(int, sums)
        found[RowKey(part, agent)] = Score(
            sessions=counted,
            first_responses=answered,
            first_response_ms=total_ms,
            first_within=within,
        )
    for extra in still_open:
        key = RowKey(query.part_of(extra.at_ms), extra.agent_id if query.by_agent else None)
        found[key] = found.get(key, Score()) + extra.score
    return found


async def count_open(session: AsyncSession, query: Asked) -> int:
    """Return how many buyers wait since a moment within the stretch."""
    found = await session.execute(
        _COUNT_OPEN, {"shop": query.shop_id, "start": query.start_ms, "end": query.end_ms}
    )
    return int(found.scalar() or 0)


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


def _round_totals(row: Any) -> RoundTotals:
    part, agent, count, total_ms, unanswered, within, slow, spread, longest, *buyers = row
    p50, p90, p95 = spread or (None, None, None)
    return RoundTotals(
        RowKey(part, agent),
        Score(int(count), int(total_ms), int(unanswered), int(within), int(slow)),
        Spread(p50, p90, p95, longest),
        *map(int, buyers),
    )


_ROUNDS: Final = text(
    """
    with judged as (
        -- What an answered round counts is its time, capped where the profile caps it (N8).
        select width_bucket(opened_ms, cast(:parts as bigint[])) as part, agent_id, buyer_id, day,
            cast(judged -> cast(:profile as text) ->> 1 as bigint) as took_ms,
            cast(judged -> cast(:profile as text) ->> 0 as bigint) as rounds,
            cast(judged -> cast(:profile as text) ->> 1 as bigint) as round_ms,
            cast(judged -> cast(:profile as text) ->> 2 as bigint) as unanswered,
            cast(judged -> cast(:profile as text) ->> 3 as bigint) as within,
            cast(judged -> cast(:profile as text) ->> 4 as bigint) as slow
        from rounds
        where shop_id = :shop and opened_ms >= :start and opened_ms < :end
            and judged ? cast(:profile as text)
            and (cast(:agent as text) is null or agent_id = cast(:agent as text))
        union all
        select * from (
            select width_bucket(at, cast(:parts as bigint[])), a, b, d, cast(null as bigint),
                r, m, u, w, s
            from unnest(cast(:open_moments as bigint[]), cast(:open_agents as text[]),
                cast(:open_buyers as text[]), cast(:open_days as date[]),
                cast(:open_rounds as bigint[]), cast(:open_ms as bigint[]),
                cast(:open_unanswered as bigint[]), cast(:open_within as bigint[]),
                cast(:open_slow as bigint[]))
                as o(at, a, b, d, r, m, u, w, s)
        ) as open_rounds
    )
    select part, case when cast(:by_agent as boolean) then agent_id end as agent,
        sum(rounds), sum(round_ms), sum(unanswered), sum(within), sum(slow),
        percentile_disc(array[0.5, 0.9, 0.95]) within group (order by took_ms)
            filter (where unanswered = 0 and took_ms is not null),
        max(took_ms) filter (where unanswered = 0),
        count(distinct (buyer_id, day)),
        count(distinct (buyer_id, day)) filter (where unanswered > 0),
        count(distinct (buyer_id, day)) filter (where unanswered > 0 or within < rounds)
    from judged group by 1, 2 order by 1, 2 nulls last
    """
)
_SESSIONS: Final = text(
    """
    select part, case when cast(:by_agent as boolean) then agent_id end as agent,
        sum(cast(figures ->> 0 as bigint)), sum(cast(figures ->> 1 as bigint)),
        sum(cast(figures ->> 2 as bigint)), sum(cast(figures ->> 3 as bigint))
    from (
        select width_bucket(started_ms, cast(:parts as bigint[])) as part, agent_id,
            judged -> cast(:profile as text) as figures
        from sessions
        where shop_id = :shop and started_ms >= :start and started_ms < :end
            and judged ? cast(:profile as text)
            and (cast(:agent as text) is null or agent_id = cast(:agent as text))
    ) as judged_sessions
    group by 1, 2
    """
)
_COUNT_OPEN: Final = text(
    """
    select count(*) from conversations
    where shop_id = :shop and (open or unsettled)
        and waiting_ms >= :start and waiting_ms < :end
    """
)
