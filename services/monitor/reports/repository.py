"""Counts what became of words in a stretch, and how long agents were what.

Must not know who asks.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.monitor.reports.domain import (
    HOURS,
    WORDING_SUMS,
    Hours,
    HoursBy,
    WordingBy,
    WordingCount,
)


class Asked(NamedTuple):
    """A stretch `[start_ms, end_ms)` of a shop; `days` are where its days begin."""

    shop_id: ShopId
    start_ms: int
    end_ms: int
    days: Sequence[int] = ()


async def wording(
    session: AsyncSession, query: Asked, *, by: WordingBy | None
) -> dict[Any, WordingCount]:
    """Return counts by category, agent or number of the day from 1.

    Without `by` all of them stand under None; by agent what no agent said does.
    """
    asked = {
        "shop": query.shop_id,
        "start": query.start_ms,
        "end": query.end_ms,
        "days": list(query.days),
    }
    found: dict[Any, WordingCount] = {}
    for key, *sums in await session.execute(_BY[by], asked):
        found[key] = WordingCount(*map(int, sums))
    return found


async def hours(session: AsyncSession, query: Asked, *, by: HoursBy) -> dict[Any, Hours]:
    """Return how long agents were what, by agent or number of the day from 1.

    `days` has the stretch's end as its last. Whoever was offline all the time stands nowhere.
    """
    asked = {
        "shop": query.shop_id,
        "start": query.start_ms,
        "end": query.end_ms,
        "days": list(query.days),
    }
    return {key: Hours(*rest) for key, *rest in await session.execute(_HOURS_BY[by], asked)}


_SAID: Final = """
    with said as (
        select at_ms, categories, case when speaker = 'agent' then sender_id end as agent,
            case when speaker = 'agent' then 'flags_agent' else 'flags_buyer' end as what
        from flags where shop_id = :shop and at_ms >= :start and at_ms < :end
        union all
        select held_ms, categories, agent_id,
            case when action = 'block' then 'blocked' else 'asked' end
        from incidents where shop_id = :shop and held_ms >= :start and held_ms < :end
        union all
        select confirmed_ms,
            array(select distinct hit ->> 'category' from jsonb_array_elements(hits) as hit),
            agent_id, 'meant'
        from confirmations
        where shop_id = :shop and confirmed_ms >= :start and confirmed_ms < :end
    )
"""
_SUMS: Final = ", ".join(f"count(*) filter (where what = '{name}')" for name in WORDING_SUMS)
_BY: Final = {
    None: text(f"{_SAID} select cast(null as text), {_SUMS} from said"),
    WordingBy.CATEGORY: text(
        f"{_SAID} select category, {_SUMS} from said, unnest(categories) as category group by 1"
    ),
    WordingBy.AGENT: text(f"{_SAID} select agent, {_SUMS} from said group by 1"),
    WordingBy.DAY: text(
        f"{_SAID} select width_bucket(at_ms, cast(:days as bigint[])), {_SUMS} from said group by 1"
    ),
}

_SPANS: Final = """
    with told as (
        select agent_id, version, state, previous, since_ms from agent_states
        where shop_id = :shop and since_ms >= :start and since_ms < :end
        union
        select before.* from agents cross join lateral (
            select agent_id, version, state, previous, since_ms from agent_states
            where agent_id = agents.agent_id and since_ms < :start
            order by version desc limit 1
        ) before where agents.shop_id = :shop
        union
        -- What comes behind the end says whether the state before it is known.
        select behind.* from agents cross join lateral (
            select agent_id, version, state, previous, since_ms from agent_states
            where agent_id = agents.agent_id and since_ms >= :end
            order by version limit 1
        ) behind where agents.shop_id = :shop
    ), put as (
        select *, lead(since_ms) over mine as until_ms, lead(previous) over mine as became,
            row_number() over mine as number
        from told window mine as (partition by agent_id order by version)
    ), spans as (
        -- What ended as something else was changed by what nobody told of.
        select agent_id, case when became <> state then 'unknown' else state end as state,
            greatest(since_ms, :start) as begin_ms, least(coalesce(until_ms, :end), :end) as end_ms
        from put
        union all
        select agent_id, 'unknown', :start, least(since_ms, :end) from put
        where number = 1 and since_ms > :start and previous is distinct from 'offline'
    )
"""
_TALKS: Final = """, talks as (
        select agent_id, range_agg(int8range(from_ms, until_ms)) as at from turns
        where shop_id = :shop and from_ms >= :start and from_ms < :end
            and owned and agent_id is not null and until_ms > from_ms
        group by agent_id
    )
    """
"""When each agent had a buyer. Two at once are one time."""
_SERVED: Final = """(
        select coalesce(sum(upper(had) - lower(had)), 0) from unnest(desk.at * talks.at) as had
    )"""
_HOURS: Final = ", ".join(
    f"cast(coalesce(sum(end_ms - begin_ms) filter (where state = '{name.removesuffix('_ms')}'), 0)"
    " as bigint)"
    for name in HOURS
)
_AT_DESK: Final = ", ".join(
    f"{each} filter (where state in ('online', 'busy'))"
    for each in ("count(distinct agent_id)", "min(begin_ms)", "max(end_ms)")
)
_DESK: Final = """
    select {key}, agent_id, range_agg(int8range(begin_ms, end_ms)) as at from {of}
    where end_ms > begin_ms and state in ('online', 'busy') group by 1, 2
    """
_HOURS_BY: Final = {
    HoursBy.AGENT: text(
        f"""{_SPANS}{_TALKS}, desk as ({_DESK.format(key="true", of="spans")}), served as (
            select agent_id, {_SERVED} as served_ms from desk join talks using (agent_id)
        ), worked as (
            select agent_id, {_AT_DESK}, {_HOURS} from spans
            where end_ms > begin_ms and state <> 'offline' group by 1
        )
        select worked.*, cast(coalesce(served_ms, 0) as bigint)
        from worked left join served using (agent_id)"""
    ),
    HoursBy.DAY: text(
        f"""{_SPANS}{_TALKS}, days as (
            select cast(number as int) as number, day, lead(day) over (order by number) as next
            from unnest(cast(:days as bigint[])) with ordinality as listed (day, number)
        ), parts as (
            select number, agent_id, state, greatest(begin_ms, day) as begin_ms,
                least(end_ms, next) as end_ms
            from spans join days on begin_ms < next and end_ms > day
        ), desk as ({_DESK.format(key="number", of="parts")}), served as (
            select number, sum({_SERVED}) as served_ms
            from desk join talks using (agent_id) group by number
        ), worked as (
            select number, {_AT_DESK}, {_HOURS} from parts
            where end_ms > begin_ms and state <> 'offline' group by 1
        )
        select worked.*, cast(coalesce(served_ms, 0) as bigint)
        from worked left join served using (number)"""
    ),
}
