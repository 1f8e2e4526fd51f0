"""Stores thresholds that were passed. Must not know when one falls due."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.monitor.tables import columns
from services.monitor.waiting.domain import Firing


async def fire(
    session: AsyncSession, firings: Sequence[Firing], *, generation: int
) -> list[Firing]:
    """Record thresholds that fell due; return those that had not fired before (H21)."""
    values = columns(
        (f.partition, f.waiting_offset, f.threshold_s, ",".join(f.profiles), f.shop_id,
         f.conversation_id, f.due_ms, f.late_ms, f.alert_id, f.agent_id) for f in firings
    )  # fmt: skip
    names = ("partitions", "offsets", "thresholds", "profiles", "shops", "conversations",
             "dues", "lates", "alerts", "agents")  # fmt: skip
    rows = await session.execute(
        _FIRE, dict(zip(names, values, strict=True)) | {"generation": generation}
    )
    new = {tuple(row) for row in rows}
    return [f for f in firings if (f.partition, f.waiting_offset, f.threshold_s) in new]


_FIRE: Final = text(
    """
    insert into firings (generation, partition, waiting_offset, threshold_s, profile, profiles,
        shop_id, conversation_id, due_ms, late_ms, alert_id, agent_id)
    select cast(:generation as smallint), p, o, t, split_part(names, ',', 1),
        string_to_array(names, ','), s, c, due, late, alert, agent
    from unnest(
        cast(:partitions as integer[]), cast(:offsets as bigint[]), cast(:thresholds as integer[]),
        cast(:profiles as text[]), cast(:shops as text[]), cast(:conversations as text[]),
        cast(:dues as bigint[]), cast(:lates as bigint[]), cast(:alerts as text[]),
        cast(:agents as text[]))
        as f(p, o, t, names, s, c, due, late, alert, agent)
    on conflict do nothing
    returning partition, waiting_offset, threshold_s
    """
)
