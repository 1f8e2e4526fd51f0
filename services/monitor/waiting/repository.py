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
        (f.partition, f.waiting_offset, f.profile, f.threshold_s, f.shop_id, f.conversation_id,
         f.due_ms, f.late_ms) for f in firings
    )  # fmt: skip
    names = ("partitions", "offsets", "profiles", "thresholds", "shops", "conversations",
             "dues", "lates")  # fmt: skip
    rows = await session.execute(
        _FIRE, dict(zip(names, values, strict=True)) | {"generation": generation}
    )
    new = {tuple(row) for row in rows}
    return [f for f in firings if (f.partition, f.waiting_offset, f.profile, f.threshold_s) in new]


_FIRE: Final = text(
    """
    insert into firings (generation, partition, waiting_offset, profile, threshold_s, shop_id,
        conversation_id, due_ms, late_ms)
    select cast(:generation as smallint), * from unnest(
        cast(:partitions as integer[]), cast(:offsets as bigint[]), cast(:profiles as text[]),
        cast(:thresholds as integer[]), cast(:shops as text[]), cast(:conversations as text[]),
        cast(:dues as bigint[]), cast(:lates as bigint[]))
    on conflict do nothing
    returning partition, waiting_offset, profile, threshold_s
    """
)
