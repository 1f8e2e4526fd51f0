"""Counts what became of words in a stretch. Must not know who asks."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.monitor.reports.domain import WORDING_SUMS, WordingBy, WordingCount


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
