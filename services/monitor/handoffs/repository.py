"""Stores waits that were told before they were too long. Must not know when one is."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.monitor.handoffs.domain import LongWait
from services.monitor.tables import columns


async def add(
    session: AsyncSession, waits: Sequence[LongWait], *, generation: int
) -> list[LongWait]:
    """Record waits that fell due; return those that had not been told before."""
    values = columns(
        (w.partition, w.waiting_offset, w.shop_id, w.conversation_id, w.agent_id,
         w.due_ms, w.breach_ms, w.late_ms) for w in waits
    )  # fmt: skip
    names = "partitions", "offsets", "shops", "conversations", "agents", "dues", "breaches", "lates"
    rows = await session.execute(
        _ADD, dict(zip(names, values, strict=True)) | {"generation": generation}
    )
    new = {tuple(row) for row in rows}
    return [wait for wait in waits if (wait.partition, wait.waiting_offset) in new]


_ADD: Final = text(
    """
    insert into long_waits (generation, partition, waiting_offset, shop_id, conversation_id,
        agent_id, due_ms, breach_ms, late_ms)
    select cast(:generation as smallint), p, o, s, c, a, due, breach, late
    from unnest(
        cast(:partitions as integer[]), cast(:offsets as bigint[]), cast(:shops as text[]),
        cast(:conversations as text[]), cast(:agents as text[]), cast(:dues as bigint[]),
        cast(:breaches as bigint[]), cast(:lates as bigint[]))
        as w(p, o, s, c, a, due, breach, late)
    on conflict do nothing
    returning partition, waiting_offset
    """
)
