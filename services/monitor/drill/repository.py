"""Pages of stored rounds and sessions that a figure counts, newest first.

Knows how they were judged when they were stored; must not know cursors or profiles' rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, ShopId
from services.monitor.drill.domain import Counted, Outcome, Place, Wanted
from services.monitor.profiles.domain import ProfileName


@dataclass(frozen=True, slots=True)
class Asked:
    """Which stretch `[start_ms, end_ms)` of which shop, under which profile."""

    shop_id: ShopId
    profile: ProfileName
    start_ms: int
    end_ms: int
    wanted: Wanted


async def rounds(
    session: AsyncSession, query: Asked, *, after: Place | None, limit: int
) -> Sequence[Counted]:
    """Return at most `limit` rounds that stand behind `after`."""
    return await _page(session, _ROUNDS, query, after=after, limit=limit)


async def sessions(
    session: AsyncSession, query: Asked, *, after: Place | None, limit: int
) -> Sequence[Counted]:
    """Return at most `limit` sessions that stand behind `after`."""
    return await _page(session, _SESSIONS, query, after=after, limit=limit)


async def _page(
    session: AsyncSession, statement: Any, query: Asked, *, after: Place | None, limit: int
) -> Sequence[Counted]:
    end_ms = query.end_ms if after is None else min(query.end_ms, after.at_ms + 1)
    last = Place(end_ms, ConversationId(""), 0) if after is None else after
    values = {
        "shop": query.shop_id,
        "profile": query.profile,
        "start": query.start_ms,
        "end": end_ms,
        "agent": query.wanted.agent_id,
        "unowned": query.wanted.is_unowned,
        "outcome": query.wanted.outcome,
        "last_ms": last.at_ms,
        "last_id": last.conversation_id,
        "last_offset": last.offset,
        "limit": limit,
    }
    return [_counted(row) for row in await session.execute(statement, values)]


def _counted(row: Any) -> Counted:
    at_ms, conversation, offset, buyer, agent, took, counted, outcome, in_average = row
    return Counted(
        at_ms, conversation, offset, buyer, agent, took, counted, Outcome(outcome), in_average
    )


_LISTED: Final = """
    select at_ms, conversation_id, "offset", buyer_id, agent_id,
        case when outcome <> 'unanswered' then greatest(0, ended_ms - at_ms) end,
        counted_ms, outcome, in_average
    from ({rows}) as counted
    where case when cast(:outcome as text) is null then in_average
        else outcome = cast(:outcome as text) end
    order by at_ms desc, conversation_id collate "C" desc, "offset" desc
    limit :limit
"""
_WHERE: Final = """
    where shop_id = :shop and {at} >= :start and {at} < :end
        and ({at}, conversation_id collate "C", {offset})
            < (cast(:last_ms as bigint), cast(:last_id as text), cast(:last_offset as bigint))
        and judged ? cast(:profile as text)
        and (cast(:agent as text) is null or agent_id = cast(:agent as text))
        and (not cast(:unowned as boolean) or agent_id is null)
"""
_ROUNDS: Final = text(
    _LISTED.format(
        rows="""
    select opened_ms as at_ms, conversation_id, opened_offset as "offset", buyer_id, agent_id,
        closed_ms as ended_ms, cast(score ->> 1 as bigint) as counted_ms,
        case when cast(score ->> 2 as bigint) > 0 then 'unanswered'
            when cast(score ->> 3 as bigint) > 0 then 'within' else 'late' end as outcome,
        cast(score ->> 0 as bigint) > 0 as in_average
    from (select *, judged -> cast(:profile as text) as score from rounds
"""
        + _WHERE.format(at="opened_ms", offset="opened_offset")
        + ") as judged_rounds"
    )
)
_SESSIONS: Final = text(
    _LISTED.format(
        rows="""
    select started_ms as at_ms, conversation_id, started_offset as "offset", buyer_id, agent_id,
        replied_ms as ended_ms, cast(score ->> 2 as bigint) as counted_ms,
        case when cast(score ->> 1 as bigint) = 0 then 'unanswered'
            when cast(score ->> 3 as bigint) > 0 then 'within' else 'late' end as outcome,
        cast(score ->> 0 as bigint) > 0 as in_average
    from (select *, judged -> cast(:profile as text) as score from sessions
"""
        + _WHERE.format(at="started_ms", offset="started_offset")
        + ") as judged_sessions"
    )
)
