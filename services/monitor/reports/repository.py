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
_SERVED: Final = """, pieces as (
        select {key} as key, agent_id, int8range(begin_ms, end_ms) as at, true as at_desk
        from {of} where end_ms > begin_ms and state in ('online', 'busy')
        union all
        select {turns}, agent_id, int8range(from_ms, until_ms), false from turns
        where shop_id = :shop and from_ms >= :start and from_ms < :end
            and owned and agent_id is not null and until_ms > from_ms
    ), served as (
        -- Two buyers at once are one time.
        select key, sum(upper(had) - lower(had)) as served_ms from (
            select key, unnest(range_agg(at) filter (where at_desk)
                * range_agg(at) filter (where not at_desk)) as had
            from pieces group by key, agent_id
        ) as times group by key
    )
    """
"""How long agents at their desks had a buyer. A turn is of one day, so days need no second cut."""
_HOURS: Final = ", ".join(
    f"cast(coalesce(sum(end_ms - begin_ms) filter (where state = '{name.removesuffix('_ms')}'), 0)"
    " as bigint)"
    for name in HOURS
)
_AT_DESK: Final = ", ".join(
    f"{each} filter (where state in ('online', 'busy'))"
    for each in ("count(distinct agent_id)", "min(begin_ms)", "max(end_ms)")
)
_HOURS_BY: Final = {
    HoursBy.AGENT: text(
        f"""{_SPANS}{_SERVED.format(key="agent_id", of="spans", turns="agent_id")}, worked as (
            select agent_id as key, {_AT_DESK}, {_HOURS} from spans
            where end_ms > begin_ms and state <> 'offline' group by 1
        )
        select worked.*, cast(coalesce(served_ms, 0) as bigint)
        from worked left join served using (key)"""
    ),
    HoursBy.DAY: text(
        f"""{_SPANS}, days as (
            select cast(number as int) as number, day, lead(day) over (order by number) as next
            from unnest(cast(:days as bigint[])) with ordinality as listed (day, number)
        ), parts as (
            select number, agent_id, state, greatest(begin_ms, day) as begin_ms,
                least(end_ms, next) as end_ms
            from spans join days on begin_ms < next and end_ms > day
        ){
            _SERVED.format(
                key="number", of="parts", turns="width_bucket(from_ms, cast(:days as bigint[]))"
            )
        }, worked as (
            select number as key, {_AT_DESK}, {_HOURS} from parts
            where end_ms > begin_ms and state <> 'offline' group by 1
        )
        select worked.*, cast(coalesce(served_ms, 0) as bigint)
        from worked left join served using (key)"""
    ),
}
