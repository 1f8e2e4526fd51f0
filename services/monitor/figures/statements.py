"""What figures are read by: stored rounds and sessions, and beside them what is still open.

Knows columns only. Sums are cast: PostgreSQL sums bigints up as numerics, which are slow.
"""

from typing import Final

from sqlalchemy import text

_OPEN_ROUNDS: Final = """
    select * from unnest(
        cast(:open_moments as bigint[]), cast(:open_agents as text[]),
        cast(:open_buyers as text[]), cast(:open_days as date[]),
        cast(:open_conversations as text[]), cast(:open_sessions as bigint[]),
        cast(:open_rounds as integer[]), cast(:open_ms as integer[]),
        cast(:open_unanswered as integer[]), cast(:open_within as integer[]),
        cast(:open_slow as integer[]))
        as o(at, agent, buyer, day, conversation, session, rounds, ms, unanswered, within, slow)
"""
_OPEN_SESSIONS: Final = """
    select * from unnest(
        cast(:begun_moments as bigint[]), cast(:begun_agents as text[]),
        cast(:begun_conversations as text[]), cast(:begun_offsets as bigint[]),
        cast(:begun_days as date[]))
        as o(at, agent, conversation, "offset", day)
"""
_MINE: Final = "(cast(:agent as text) is null or {agent} = cast(:agent as text))"
_WHOSE: Final = "case when cast(:by_agent as boolean) then agent_id end"
_PART: Final = "width_bucket({at}, cast(:parts as bigint[]))"
_STORED: Final = f"""
    from {{table}}
    where shop_id = :shop and {{at}} >= :start and {{at}} < :end
        and judged ? cast(:profile as text) and {_MINE.format(agent="agent_id")}
"""
_OF_ROUNDS: Final = _STORED.format(table="rounds", at="opened_ms")
_OF_SESSIONS: Final = _STORED.format(table="sessions", at="started_ms")

_PERCENTILES: Final = "percentile_disc(array[0.5, 0.9, 0.95, 0.99]) within group (order by took)"
ROUNDS: Final = text(
    f"""
    with judged_rounds as materialized (
        select {_PART.format(at="opened_ms")} as part, agent_id, buyer_id, day,
            cast(score -> 0 as integer) as rounds, cast(score -> 1 as integer) as ms,
            cast(score -> 2 as integer) as unanswered, cast(score -> 3 as integer) as within,
            cast(score -> 4 as integer) as slow
        from (
            select opened_ms, agent_id, buyer_id, day, judged -> cast(:profile as text) as score
            {_OF_ROUNDS}
        ) as stored
        union all
        select {_PART.format(at="at")}, agent, buyer, day, rounds, ms, unanswered, within, slow
        from ({_OPEN_ROUNDS}) as still
        where at >= :start and at < :end and {_MINE.format(agent="agent")}
    ), served as (
        -- Each buyer of an agent and a day, so that whoever counts people need not sort rounds.
        select part, agent_id, buyer_id, day, sum(rounds) as rounds, sum(ms) as ms,
            sum(unanswered) as unanswered, sum(within) as within, sum(slow) as slow,
            count(*) filter (where unanswered = 0) as answered
        from judged_rounds group by 1, 2, 3, 4
    ), buyers as (
        select part, {_WHOSE} as agent, buyer_id, day, sum(rounds) as rounds, sum(ms) as ms,
            sum(unanswered) as unanswered, sum(within) as within, sum(slow) as slow,
            sum(answered) as answered, count(agent_id) as served,
            count(agent_id) filter (where slow >= :slow_times) as served_slowly
        from served group by 1, 2, 3, 4
    ), totals as (
        select part, agent, sum(rounds) as rounds, sum(ms), sum(unanswered), sum(within), sum(slow),
            sum(answered) as answered, count(*), count(*) filter (where unanswered > 0),
            count(*) filter (where unanswered > 0 or within < rounds),
            sum(served), sum(served_slowly)
        from buyers group by 1, 2
    ), spreads as (
        -- Sorted here, where they are read anyway; of more than so many bins are read.
        select part, agent, {_PERCENTILES} as percentiles, max(took) as longest
        from (select part, {_WHOSE} as agent, ms as took from judged_rounds where unanswered = 0)
            as samples
        where (part, coalesce(agent, '')) not in (
            select part, coalesce(agent, '') from totals where answered > :exact_up_to)
        group by 1, 2
    )
    select spreads.percentiles, spreads.longest, totals.*
    from totals left join spreads
        on spreads.part = totals.part and spreads.agent is not distinct from totals.agent
    """
)
SESSIONS: Final = text(
    f"""
    select part, {_WHOSE} as agent, count(*), count(replied_ms), sum(took_ms), sum(within),
        sum(greatest(0, replied_ms - started_ms)), sum(greatest(0, replied_ms - to_human_ms)),
        sum(greatest(0, replied_ms - assigned_ms)),
        count(replied_ms) filter (where assigned_ms is not null)
    from (
        select part, agent_id, started_ms, to_human_ms, assigned_ms,
            case when cast(score -> 1 as integer) = 1 then replied_ms end as replied_ms,
            cast(score -> 2 as integer) as took_ms, cast(score -> 3 as integer) as within
        from (
            select {_PART.format(at="started_ms")} as part, agent_id, started_ms, to_human_ms,
                assigned_ms, replied_ms, judged -> cast(:profile as text) as score
            {_OF_SESSIONS}
        ) as stored
    ) as judged_sessions
    group by 1, 2
    """
)

_TOOK: Final = {
    # What an answered round counts is its time, capped where the profile caps it (N8).
    "rounds": f"""
        select {_PART.format(at="opened_ms")} as part, {_WHOSE} as agent,
            cast(judged -> cast(:profile as text) -> 1 as integer) as took
        {_OF_ROUNDS} and cast(judged -> cast(:profile as text) -> 2 as integer) = 0
    """,
    "sessions": f"""
        select {_PART.format(at="started_ms")} as part, {_WHOSE} as agent,
            cast(judged -> cast(:profile as text) -> 2 as integer) as took
        {_OF_SESSIONS} and cast(judged -> cast(:profile as text) -> 1 as integer) = 1
    """,
}
_MANY: Final = "part || '/' || coalesce(agent, '') = any(cast(:many as text[]))"
EXACT: Final = {
    table: text(
        f"""
        select part, agent, count(*), {_PERCENTILES}, max(took)
        from ({took}) as samples
        where cardinality(cast(:many as text[])) = 0 or not {_MANY}
        group by 1, 2
        """
    )
    for table, took in _TOOK.items()
}
IN_BINS: Final = {
    table: text(
        f"""
        select part, agent, width_bucket(took, cast(:edges as integer[])) as bin, count(*),
            max(took)
        from ({took}) as samples where {_MANY} group by 1, 2, 3
        """
    )
    for table, took in _TOOK.items()
}

WHOLE_SESSIONS: Final = text(
    f"""
    with begun as (
        select {_PART.format(at="started_ms")} as part, agent_id, conversation_id,
            started_offset as "offset", day
        {_OF_SESSIONS}
        union all
        select {_PART.format(at="at")}, agent, conversation, "offset", day
        from ({_OPEN_SESSIONS}) as still
    ), asked as (
        -- A session's rounds may lie behind the stretch, but not behind its day.
        select conversation, session, day, bool_and(in_time) as in_time
        from (
            select conversation_id as conversation, session_offset as session, day,
                cast(judged -> cast(:profile as text) -> 2 as integer) = 0
                    and cast(judged -> cast(:profile as text) -> 3 as integer) = 1 as in_time
            from rounds
            where shop_id = :shop and opened_ms >= :start and opened_ms < :day_over
                and judged ? cast(:profile as text) and session_offset is not null
            union all
            select conversation, session, day, unanswered = 0 and within > 0
            from ({_OPEN_ROUNDS}) as still where session is not null
        ) as counted_rounds
        group by 1, 2, 3
    )
    select part, {_WHOSE} as agent, count(*), count(*) filter (where in_time)
    from begun join asked on asked.conversation = begun.conversation_id
        and asked.session = begun."offset" and asked.day = begun.day
    group by 1, 2
    """
)
UNPLACED: Final = text(
    """
    select max(day) from rounds
    where shop_id = :shop and opened_ms >= :start and opened_ms < :end
        and session_offset is null and judged ? cast(:profile as text)
    """
)
MISSED: Final = text(
    f"""
    select part, {_WHOSE} as agent, count(*),
        count(*) filter (where missed and assigned),
        count(*) filter (where missed and not assigned and unstaffed),
        count(*) filter (where missed and not assigned and not unstaffed)
    from (
        select part, agent_id, replied_ms is null or replied_ms >= midnight as missed,
            coalesce(assigned_ms < midnight, false) as assigned,
            coalesce(unstaffed, false) as unstaffed
        from (
            select {_PART.format(at="started_ms")} as part, agent_id, replied_ms, assigned_ms,
                unstaffed, (cast(:midnights as bigint[]))[
                    width_bucket(started_ms, cast(:midnights as bigint[])) + 1] as midnight
            from sessions
            where shop_id = :shop and started_ms >= :start and started_ms < :end
                and readings @> cast(:readings as text[])
                and {_MINE.format(agent="agent_id")}
                and width_bucket(case when cast(:to_human as boolean) then to_human_ms
                    else started_ms end, cast(:hours as bigint[])) % 2 = 1
        ) as settled
    ) as human
    group by 1, 2
    """
)
PRESENT: Final = text(
    f"""
    select distinct {_PART.format(at="at")} from (
        select opened_ms as at from rounds
        where shop_id = :shop and opened_ms >= :start and opened_ms < :end
            and {_MINE.format(agent="agent_id")}
        union all
        select started_ms from sessions
        where shop_id = :shop and started_ms >= :start and started_ms < :end
            and {_MINE.format(agent="agent_id")}
    ) as anything
    """
)
COUNT_OPEN: Final = text(
    """
    select count(*) from conversations
    where shop_id = :shop and (open or unsettled)
        and waiting_ms >= :start and waiting_ms < :end
    """
)
