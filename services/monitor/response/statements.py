"""The statements of rounds, sessions and totals: one array per column, one round trip per table.

Knows columns only. `unnest` because a VALUES list stops at 32,767 parameters.
"""

from typing import Final

from sqlalchemy import text

ROUNDS: Final = text(
    """
    insert into rounds (generation, partition, reading, opened_offset, shop_id, conversation_id,
        buyer_id, agent_id, day, opened_ms, closed_ms, waiting_since_ms, outcome, born_offset,
        judged, settled_offset, unstaffed, session_offset, readings, rules)
    select g, p, split_part(r, '|', 1), o, s, c, b, a, d, opened, ended, w, outcome, born, j,
        settled, u, session, string_to_array(r, '|'), 2
    from unnest(
        cast(:generations as smallint[]), cast(:partitions as integer[]),
        cast(:readings as text[]), cast(:offsets as bigint[]),
        cast(:shops as text[]), cast(:conversations as text[]), cast(:buyers as text[]),
        cast(:agents as text[]), cast(:days as date[]), cast(:opened as bigint[]),
        cast(:closed as bigint[]), cast(:waits as bigint[]), cast(:outcomes as text[]),
        cast(:born as bigint[]), cast(:judged as jsonb[]), cast(:settled as bigint[]),
        cast(:unstaffed as boolean[]), cast(:sessions as bigint[]))
        as t(g, p, r, o, s, c, b, a, d, opened, ended, w, outcome, born, j, settled, u, session)
    """
)
SESSIONS: Final = text(
    """
    insert into sessions (generation, partition, reading, started_offset, shop_id,
        conversation_id, buyer_id, agent_id, day, started_ms, to_human_ms, assigned_ms,
        replied_ms, born_offset, judged, settled_offset, unstaffed, readings, rules)
    select g, p, split_part(r, '|', 1), o, s, c, b, a, d, started, human, assigned, replied, born,
        j, settled, u, string_to_array(r, '|'), 2
    from unnest(
        cast(:generations as smallint[]), cast(:partitions as integer[]),
        cast(:readings as text[]), cast(:offsets as bigint[]),
        cast(:shops as text[]), cast(:conversations as text[]), cast(:buyers as text[]),
        cast(:agents as text[]), cast(:days as date[]), cast(:started as bigint[]),
        cast(:to_human as bigint[]), cast(:assigned as bigint[]), cast(:replied as bigint[]),
        cast(:born as bigint[]), cast(:judged as jsonb[]), cast(:settled as bigint[]),
        cast(:unstaffed as boolean[]))
        as t(g, p, r, o, s, c, b, a, d, started, human, assigned, replied, born, j, settled, u)
    """
)
"""Rules 2: what the fold makes since its state is kept by reading (H49). A new twin changes the
list of readings and never a stored name, which is the first of them (H32)."""
COUNTERS: Final = text(
    """
    insert into counters (partition, shop_id, profile, day, agent_id, rounds, round_ms,
        unanswered, within, slow, sessions, first_responses, first_response_ms, first_within)
    select * from unnest(
        cast(:partitions as integer[]), cast(:shops as text[]), cast(:profiles as text[]),
        cast(:days as date[]), cast(:agents as text[]), cast(:rounds as bigint[]),
        cast(:round_ms as bigint[]), cast(:unanswered as bigint[]), cast(:within as bigint[]),
        cast(:slow as bigint[]), cast(:sessions as bigint[]),
        cast(:first_responses as bigint[]), cast(:first_response_ms as bigint[]),
        cast(:first_within as bigint[]))
    on conflict (partition, shop_id, profile, day, agent_id) do update set
        rounds = counters.rounds + excluded.rounds,
        round_ms = counters.round_ms + excluded.round_ms,
        unanswered = counters.unanswered + excluded.unanswered,
        within = counters.within + excluded.within,
        slow = counters.slow + excluded.slow,
        sessions = counters.sessions + excluded.sessions,
        first_responses = counters.first_responses + excluded.first_responses,
        first_response_ms = counters.first_response_ms + excluded.first_response_ms,
        first_within = counters.first_within + excluded.first_within
    """
)
KEPT_ROUNDS: Final = text(
    """
    select opened_offset, born_offset, settled_offset, unstaffed, readings, shop_id,
        conversation_id, buyer_id, agent_id, day, opened_ms, closed_ms, waiting_since_ms, outcome,
        session_offset, judged
    from rounds where generation = :generation and partition = :partition and rules = 2
    """
)
KEPT_SESSIONS: Final = text(
    """
    select started_offset, born_offset, settled_offset, unstaffed, readings, shop_id,
        conversation_id, buyer_id, agent_id, day, started_ms, to_human_ms, assigned_ms, replied_ms,
        judged
    from sessions where generation = :generation and partition = :partition and rules = 2
    """
)
WITHDRAW_ROUNDS: Final = text(
    """
    delete from rounds where generation = :generation and partition = :partition
        and opened_offset = any(cast(:offsets as bigint[])) and rules = 2
    returning shop_id, agent_id, day, judged
    """
)
WITHDRAW_SESSIONS: Final = text(
    """
    delete from sessions where generation = :generation and partition = :partition
        and started_offset = any(cast(:offsets as bigint[])) and rules = 2
    returning shop_id, agent_id, day, judged
    """
)
DROP_ROUNDS: Final = text(
    "delete from rounds where generation = :generation and partition = :partition"
    " and opened_offset >= :first"
)
DROP_SESSIONS: Final = text(
    "delete from sessions where generation = :generation and partition = :partition"
    " and started_offset >= :first"
)
DROP_COUNTERS: Final = text("delete from counters where partition = :partition")
KEPT_COUNTERS: Final = text(
    """
    select shop_id, profile, day, agent_id, rounds, round_ms, unanswered, within, slow,
        sessions, first_responses, first_response_ms, first_within
    from counters where partition = :partition
    """
)
_SUMMED: Final = """
    select shop_id, profile, day, agent_id, sum(r), sum(ms), sum(u), sum(w), sum(s), sum(n),
        sum(f), sum(fms), sum(fw)
    from (
        select shop_id, key as profile, day, coalesce(agent_id, '') as agent_id,
            cast(value ->> 0 as bigint) as r, cast(value ->> 1 as bigint) as ms,
            cast(value ->> 2 as bigint) as u, cast(value ->> 3 as bigint) as w,
            cast(value ->> 4 as bigint) as s, 0 as n, 0 as f, 0 as fms, 0 as fw
        from rounds, jsonb_each(judged) where partition = :partition
        union all
        select shop_id, key, day, coalesce(agent_id, ''), 0, 0, 0, 0, 0,
            cast(value ->> 0 as bigint), cast(value ->> 1 as bigint),
            cast(value ->> 2 as bigint), cast(value ->> 3 as bigint)
        from sessions, jsonb_each(judged) where partition = :partition
    ) as judged_rows group by 1, 2, 3, 4
    """
SUMMED: Final = text(_SUMMED)
SUM_UP: Final = text(
    f"""
    insert into counters (shop_id, profile, day, agent_id, rounds, round_ms, unanswered, within,
        slow, sessions, first_responses, first_response_ms, first_within, partition)
    select totals.*, :partition from ({_SUMMED}) as totals
    """
)

_BEGINS: Final = {
    "rounds": ("opened_offset", "opened_ms"),
    "sessions": ("started_offset", "started_ms"),
}

PROVISIONAL: Final = {
    table: text(
        f"""
        select generation, partition, reading, {offset}, shop_id, agent_id, day, {at_ms}, judged
        from {table} where unstaffed is null and rules = 2 and {at_ms} < :before
        order by {at_ms} limit :limit
        """
    )
    for table, (offset, at_ms) in _BEGINS.items()
}
MEND: Final = {
    table: text(
        f"""
        update {table} set unstaffed = new.u, judged = new.j
        from unnest(
            cast(:generations as smallint[]), cast(:partitions as integer[]),
            cast(:readings as text[]), cast(:offsets as bigint[]),
            cast(:unstaffed as boolean[]), cast(:judged as jsonb[])) as new(g, p, r, o, u, j)
        where generation = new.g and partition = new.p and reading = new.r and {offset} = new.o
            and unstaffed is null
        returning generation, partition, reading, {offset}
        """
    )
    for table, (offset, _) in _BEGINS.items()
}
