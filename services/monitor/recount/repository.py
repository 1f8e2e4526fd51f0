"""Reads where the fold of a partition stands. Must not know what measures keep."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId
from contracts.topics import CHAT
from kit import positions
from services.monitor.fold.measures import AnyMeasure, BookSpan, Kept
from services.monitor.fold.repository import CONSUMER, conversations
from services.monitor.fold.spans import book_spans
from services.monitor.fold.states import Conversation, States

_LOG_TIME: Final = text("select log_ms from partitions where partition = :partition")


@dataclass(slots=True)
class Snapshot:
    """What is stored about a partition at one moment; `kept` is in the measures' order."""

    next_offset: int
    log_ms: int
    conversations: list[Conversation] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    spans: list[BookSpan] = field(default_factory=list)
    """Which books were in force, ascending (H32)."""

    def births(self) -> dict[ConversationId, int]:
        """Return the oldest record that each conversation's rows or state rest on."""
        found = {known.standing.name: known.standing.born_offset for known in self.conversations}
        for row in (row for kept in self.kept for row in kept.rows if row.of is not None):
            if row.of is not None:
                found[row.of] = min(row.rests_on, found.get(row.of, row.rests_on))
        return found


async def read(
    session: AsyncSession, partition: int, *, generation: int, measures: Sequence[AnyMeasure]
) -> Snapshot | None:
    """Return what is stored; None where nothing was ever folded. Call it in one `read()` block."""
    offset = await positions.load(session, CONSUMER, topic=CHAT.name, partition=partition)
    if offset is None:
        return None
    mine = {"partition": partition, "generation": generation}
    spans = await book_spans(session, mine)
    last = [measure.under(spans[-1]) for measure in measures] if spans else measures
    states = States(last)
    mark = (await session.execute(_LOG_TIME, mine)).scalar()
    return Snapshot(
        offset,
        int(mark or 0),
        await conversations(session, mine, states),
        [await m.kept(session, generation=generation, partition=partition) for m in measures],
        spans,
    )
