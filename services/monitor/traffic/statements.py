"""The statements of turns: one array per column, one round trip per batch. Knows columns only."""

from typing import Final

from sqlalchemy import text

TURNS: Final = text(
    """
    insert into turns (generation, partition, first_offset, shop_id, conversation_id, buyer_id,
        agent_id, owned, day, from_ms, last_ms, until_ms, buyer_words, agent_words, agent_ms,
        agent_offsets, born_offset)
    select g, p, f, s, c, b, a, o, d, from_at, last_at, until_at, bw, aw,
        cast(ms as bigint[]), cast(offsets as bigint[]), born
    from unnest(
        cast(:generations as smallint[]), cast(:partitions as integer[]),
        cast(:firsts as bigint[]), cast(:shops as text[]), cast(:conversations as text[]),
        cast(:buyers as text[]), cast(:agents as text[]), cast(:owned as boolean[]),
        cast(:days as date[]), cast(:from_ms as bigint[]), cast(:last_ms as bigint[]),
        cast(:until_ms as bigint[]), cast(:buyer_words as integer[]),
        cast(:agent_words as integer[]), cast(:agent_ms as text[]),
        cast(:agent_offsets as text[]), cast(:born as bigint[]))
        as t(g, p, f, s, c, b, a, o, d, from_at, last_at, until_at, bw, aw, ms, offsets, born)
    on conflict (generation, partition, first_offset) do update set
        buyer_id = excluded.buyer_id, last_ms = excluded.last_ms, until_ms = excluded.until_ms,
        buyer_words = excluded.buyer_words, agent_words = excluded.agent_words,
        agent_ms = excluded.agent_ms, agent_offsets = excluded.agent_offsets
    """
)
WITHDRAW: Final = text(
    "delete from turns where generation = :generation and partition = :partition"
    " and first_offset = any(cast(:firsts as bigint[]))"
)
KEPT_TURNS: Final = text(
    """
    select first_offset, born_offset, shop_id, conversation_id, buyer_id, agent_id, owned, day,
        from_ms, last_ms, until_ms, buyer_words, agent_words, agent_ms, agent_offsets
    from turns where generation = :generation and partition = :partition
    """
)
LAST_SPAN: Final = text(
    """
    select first_offset, since_ms, told_to from turn_spans
    where generation = :generation and partition = :partition
    order by first_offset desc limit 1
    """
)
SPANS: Final = text(
    """
    select first_offset, since_ms, told_to from turn_spans
    where generation = :generation and partition = :partition order by first_offset
    """
)
TOLD_SINCE: Final = text(
    "select max(since_ms) from"
    " (select min(since_ms) as since_ms from turn_spans group by partition) as begun"
)
ADVANCE: Final = text(
    """
    insert into turn_spans (generation, partition, first_offset, since_ms, told_to)
    select * from unnest(
        cast(:generations as smallint[]), cast(:partitions as integer[]),
        cast(:firsts as bigint[]), cast(:since as bigint[]), cast(:ends as bigint[]))
    on conflict (generation, partition, first_offset) do update set told_to = excluded.told_to
    """
)
MAY_TAKE_LONG: Final = text("set local statement_timeout = '10min'")
"""A recount reads a whole partition."""
