"""Stores what a batch of folded records changed, in one fenced transaction (H19).

Knows positions, partitions and conversations; must not know what a measure's change holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId
from contracts.topics import CHAT
from kit import positions
from services.monitor.fold import statements as sql
from services.monitor.fold.engine import Changes
from services.monitor.fold.measures import AnyMeasure
from services.monitor.fold.standing import forget_after_ms
from services.monitor.fold.states import Conversation, States
from services.monitor.tables import many

CONSUMER: Final = "monitor.fold"


@dataclass(frozen=True, slots=True)
class Stored:
    """A partition as it was left: the state belongs to `next_offset`, from one snapshot."""

    next_offset: int | None
    watermark_ms: int
    conversations: dict[ConversationId, Conversation]


class FoldStore:
    """Loads and stores partitions under one generation of the topic (H4)."""

    def __init__(self, generation: int) -> None:
        self.generation = generation

    async def load(
        self, session: AsyncSession, partition: int, measures: Sequence[AnyMeasure]
    ) -> Stored:
        """Return a partition's states and offset; call it in one `read()` snapshot."""
        offset = await positions.load(session, CONSUMER, topic=CHAT.name, partition=partition)
        mark = (await session.execute(sql.WATERMARK, {"partition": partition})).scalar()
        mine = {"generation": self.generation, "partition": partition}
        rows = await session.execute(sql.STATES, mine)
        states = States(measures)
        found = [states.decode(bytes(state)) for (state,) in rows]
        for measure in measures:
            await measure.load(session, generation=self.generation, partition=partition)
        return Stored(offset, int(mark or 0), {known.standing.name: known for known in found})

    async def move(
        self, session: AsyncSession, partition: int, *, expected: int | None, new: int
    ) -> None:
        """Move a position without folding: a first beginning, or past records that are gone."""
        await positions.advance(
            session, CONSUMER, topic=CHAT.name, partition=partition, expected=expected, new=new
        )

    async def store(self, session: AsyncSession, batch: Sequence[Changes]) -> None:
        """Store a batch of partitions. Raises `Fenced`: roll back and drop the state."""
        moves = {part.partition: (part.expected, part.next_offset) for part in batch}
        await positions.advance_all(session, CONSUMER, topic=CHAT.name, moves=moves)
        await session.execute(
            sql.MARK,
            {
                "partitions": [part.partition for part in batch],
                "watermarks": [part.watermark_ms for part in batch],
            },
        )
        await self._conversations(session, batch)
        measures = batch[0].states.measures if batch else ()
        for place, measure in enumerate(measures):
            deltas = [(part.stretch(self.generation), part.deltas[place]) for part in batch]
            await measure.store(session, deltas)

    async def caught_up(self, session: AsyncSession, at_ms: Mapping[int, int]) -> None:
        """Store when partitions were last seen folded to the end of the log."""
        await session.execute(
            sql.CAUGHT_UP, {"partitions": list(at_ms), "moments": list(at_ms.values())}
        )

    async def forget(
        self, session: AsyncSession, partition: int, names: Sequence[ConversationId]
    ) -> None:
        """Delete the state of conversations that were closed long ago."""
        await session.execute(sql.FORGET, {"partition": partition, "names": list(names)})

    async def _conversations(self, session: AsyncSession, batch: Sequence[Changes]) -> None:
        rows = []
        for part in batch:
            for name, known in part.conversations.items():
                standing, waiting = known.standing, part.states.waiting(known)
                rows.append((
                    self.generation, name, part.partition, standing.shop_id, standing.open,
                    standing.owner, waiting.since_ms, waiting.oldest_ms,
                    forget_after_ms(standing), part.states.encode(known),
                ))  # fmt: skip
        names = ("generations", "names", "partitions", "shops", "opens", "owners", "waits",
                 "oldest", "forgets", "states")  # fmt: skip
        await many(session, sql.CONVERSATIONS, names=names, rows=rows)
