"""The statements by which a batch is stored: one array per column, one round trip per table.

Knows columns only. `unnest` because a VALUES list stops at 32,767 parameters.
"""

from typing import Final

from sqlalchemy import text

WATERMARK: Final = text(
    "select watermark_ms, log_ms, refold_below from partitions where partition = :partition"
)
NO_WATERMARK: Final = text(
    "update partitions set watermark_ms = 0, log_ms = 0 where partition = :partition"
)
STATES: Final = text(
    "select state from conversations where generation = :generation and partition = :partition"
)
MARK: Final = text(
    """
    insert into partitions (partition, watermark_ms, log_ms, caught_up_ms)
    select *, 0 from unnest(
        cast(:partitions as integer[]), cast(:watermarks as bigint[]), cast(:times as bigint[]))
    on conflict (partition) do update set
        watermark_ms = excluded.watermark_ms, log_ms = excluded.log_ms
    """
)
CAUGHT_UP: Final = text(
    """
    insert into partitions (partition, watermark_ms, log_ms, caught_up_ms)
    select p, 0, 0, m
    from unnest(cast(:partitions as integer[]), cast(:moments as bigint[])) as u(p, m)
    order by p
    on conflict (partition) do update set caught_up_ms = excluded.caught_up_ms
    """
)
FOLDED_THROUGH: Final = text("select min(caught_up_ms) from partitions where caught_up_ms > 0")
FORGET: Final = text(
    "delete from conversations where partition = :partition"
    " and conversation_id = any(cast(:names as text[]))"
)
CONVERSATIONS: Final = text(
    """
    insert into conversations (generation, conversation_id, partition, shop_id, open, owner,
        waiting_ms, oldest_round_ms, unsettled, forget_ms, state)
    select * from unnest(
        cast(:generations as smallint[]), cast(:names as text[]),
        cast(:partitions as integer[]), cast(:shops as text[]),
        cast(:opens as boolean[]), cast(:owners as text[]), cast(:waits as bigint[]),
        cast(:oldest as bigint[]), cast(:unsettled as boolean[]),
        cast(:forgets as bigint[]), cast(:states as bytea[]))
    on conflict (conversation_id) do update set
        generation = excluded.generation, partition = excluded.partition,
        open = excluded.open, owner = excluded.owner, waiting_ms = excluded.waiting_ms,
        oldest_round_ms = excluded.oldest_round_ms, unsettled = excluded.unsettled,
        forget_ms = excluded.forget_ms,
        state = excluded.state
    """
)
