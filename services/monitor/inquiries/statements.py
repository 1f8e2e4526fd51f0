"""The statements of inquiries. Knows columns only.

A day is the shop's own, and a buyer counts once on it; turns end at its midnight, so each day
stands for itself.
"""

from typing import Final

from sqlalchemy import text

from services.monitor.inquiries.domain import REASONS, InquiriesBy

_MINE: Final = """
    with mine as (
        select agent_id, buyer_id, day, owned, from_ms, until_ms, buyer_words, agent_words
        from turns where shop_id = :shop and from_ms >= :start and from_ms < :end
    )
    """
_ASKED: Final = """, people as (
        select day, buyer_id, sum(buyer_words) as buyer_words, sum(agent_words) as agent_words,
            bool_or(agent_id is not null) as was_had
        from mine group by day, buyer_id having sum(buyer_words) > 0
    ), left_word as (
        select day, buyer_id from (
            select day, buyer_id, unstaffed from sessions
            where cast(:leave_message as boolean) and shop_id = :shop
                and started_ms >= :start and started_ms < :end and :human = any(readings)
            union all
            select * from unnest(cast(:open_days as date[]), cast(:open_buyers as text[]),
                cast(:open_unstaffed as boolean[]))
        ) as begun
        where cast(:leave_message as boolean)
        group by day, buyer_id having bool_and(coalesce(unstaffed, false))
    ), met_bot as (
        -- Who answers what nobody has is a bot.
        select day, buyer_id from rounds
        where cast(:bot_only as boolean) and shop_id = :shop
            and opened_ms >= :start and opened_ms < :end
            and readings && cast(:with_bots as text[])
        group by day, buyer_id having bool_and(outcome = 'answered' and agent_id is null)
    ), asked as (
        select people.*, case
            when buyer_id = any(cast(:ids as text[])) then 'ids'
            when buyer_id = any(cast(:staff as text[])) then 'own_staff'
            when exists (select from left_word as w
                where w.day = people.day and w.buyer_id = people.buyer_id) then 'leave_message'
            when not was_had and exists (select from met_bot as w
                where w.day = people.day and w.buyer_id = people.buyer_id) then 'bot_only'
        end as reason
        from people
    )
    """
_SERVED: Final = """, served as (
        select agent_id, day, buyer_id, sum(agent_words) as agent_words,
            coalesce(sum(buyer_words) filter (where owned), 0) as buyer_words
        from mine where agent_id is not null group by 1, 2, 3 having bool_or(owned)
    )
    """
_COUNTS: Final = ", ".join((
    "count(*)",
    *(f"count(*) filter (where reason = '{name}')" for name in REASONS),
    "count(*) filter (where reason is null and agent_words > 0)",
    "coalesce(sum(buyer_words) filter (where reason is null and agent_words > 0), 0)",
    "coalesce(sum(agent_words) filter (where reason is null and agent_words > 0), 0)",
))  # fmt: skip
_OF_SHOP: Final = f"{_MINE}{_ASKED} select {{}}, {_COUNTS} from asked group by 1"

PEOPLE: Final = {
    InquiriesBy.SHOP: text(_OF_SHOP.format("cast(null as text)")),
    InquiriesBy.DAY: text(_OF_SHOP.format("day")),
    InquiriesBy.AGENT: text(
        f"""{_MINE}{_ASKED}{_SERVED}
        select agent_id, {_COUNTS} from (
            select served.*, reason from served join asked using (day, buyer_id)
            where cast(:agent as text) is null or agent_id = cast(:agent as text)
        ) as received group by 1"""
    ),
}
WORDS: Final = {
    by: text(f"{_MINE} select {key}, sum(agent_words) from mine where {where} group by 1")
    for by, key, where in (
        (InquiriesBy.SHOP, "cast(null as text)", "true"),
        (InquiriesBy.DAY, "day", "true"),
        (
            InquiriesBy.AGENT,
            "agent_id",
            "agent_id = coalesce(cast(:agent as text), agent_id)",
        ),
    )
}
_MOST: Final = """, steps as (
        select agent_id, day, from_ms as at_ms, 1 as step from mine
        where owned and agent_id = coalesce(cast(:agent as text), agent_id)
            and until_ms > from_ms
        union all
        select agent_id, day, until_ms, -1 from mine
        where owned and agent_id = coalesce(cast(:agent as text), agent_id)
            and until_ms > from_ms
    ), running as (
        -- At the same millisecond ends come first.
        select agent_id, day, sum(step) over (
            partition by agent_id, day order by at_ms, step rows unbounded preceding) as number
        from steps
    )
    """
MOST: Final = {
    by: text(f"{_MINE}{_MOST} select {key}, max(number) from running group by 1")
    for by, key in (
        (InquiriesBy.SHOP, "cast(null as text)"),
        (InquiriesBy.DAY, "day"),
        (InquiriesBy.AGENT, "agent_id"),
    )
}
_SLOW: Final = """
    with judged as (
        select agent_id, buyer_id, day,
            cast(judged -> cast(:profile as text) ->> 4 as bigint) as slow
        from rounds
        where shop_id = :shop and opened_ms >= :start and opened_ms < :end
            and judged ? cast(:profile as text)
            and agent_id = coalesce(cast(:agent as text), agent_id)
        union all
        select * from unnest(cast(:open_agents as text[]), cast(:open_buyers as text[]),
            cast(:open_days as date[]), cast(:open_slow as bigint[]))
    ), pairs as (
        select agent_id, buyer_id, day, sum(slow) as slow from judged group by 1, 2, 3
    )
    select {key}, count(*) filter (where slow >= :times), count(*) from pairs group by 1
    """
SLOW: Final = {
    InquiriesBy.SHOP: text(_SLOW.format(key="cast(null as text)")),
    InquiriesBy.DAY: text(_SLOW.format(key="day")),
    InquiriesBy.AGENT: text(_SLOW.format(key="agent_id")),
}
_STOPPED: Final = """
    with told as (
        select message_id as id, sender_id as agent_id, at_ms, hits, 'delivered' as what from flags
        where shop_id = :shop and at_ms >= :start and at_ms < :end and speaker = 'agent'
        union all
        select incident_id, agent_id, held_ms, hits, 'blocked' from incidents
        where shop_id = :shop and held_ms >= :start and held_ms < :end and action = 'block'
        union all
        select message_id, agent_id, confirmed_ms, hits, 'confirmed' from confirmations
        where shop_id = :shop and confirmed_ms >= :start and confirmed_ms < :end
    ), mine as (
        select * from told where cast(:agent as text) is null or agent_id = cast(:agent as text)
    )
    """
_WHAT: Final = ", ".join(
    f"count(*) filter (where what = '{name}')" for name in ("blocked", "confirmed", "delivered")
)
STOPPED: Final = {
    InquiriesBy.SHOP: text(f"{_STOPPED} select cast(null as text), {_WHAT} from mine group by 1"),
    InquiriesBy.DAY: text(
        f"{_STOPPED} select width_bucket(at_ms, cast(:days as bigint[])), {_WHAT}"
        " from mine group by 1"
    ),
    InquiriesBy.AGENT: text(f"{_STOPPED} select agent_id, {_WHAT} from mine group by 1"),
}
KINDS: Final = text(
    f"""{_STOPPED} select category, severity, {_WHAT} from (
        select distinct id, what, hit ->> 'category' as category, hit ->> 'severity' as severity
        from mine, jsonb_array_elements(hits) as hit
    ) as kinds group by 1, 2 order by 1, 2"""
)
TOLD: Final = text("select min(greatest(log_ms, caught_up_ms)) from partitions")
