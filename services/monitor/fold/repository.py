"""Stores what a batch of folded records changed, in one fenced transaction (H19).

Knows positions, partitions and conversations; must not know what a measure's change holds.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId
from contracts.topics import CHAT
from kit import positions
from services.monitor.fold import statements as sql
from services.monitor.fold.engine import Changes
from services.monitor.fold.measures import AnyMeasure, BookSpan, Stretch
from services.monitor.fold.spans import begin_span, book_spans
from services.monitor.fold.states import Conversation, States
from services.monitor.tables import many

CONSUMER: Final = "monitor.fold"

PAGE: Final = 500
"""States that are read and decoded between two turns of the event loop."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A partition as it was left: the state belongs to `next_offset`, from one snapshot."""

    next_offset: int | None
    watermark_ms: int
    log_ms: int
    conversations: dict[ConversationId, Conversation]
    refold_below: int | None
    """The place up to which the log was folded before it is folded anew (H49)."""
    book: BookSpan | None
    """The book in force."""

    @property
    def begins_anew(self) -> bool:
        """Tell whether a new format makes the log be folded from its oldest record."""
        return self.next_offset is None and self.refold_below is not None

    def is_judged_otherwise(self, book: BookSpan) -> bool:
        """Tell whether another book than this was in force."""
        return self.book is None or self.book.fingerprint != book.fingerprint


class FoldStore:
    """Loads and stores partitions under one generation of the topic (H4)."""

    def __init__(self, generation: int) -> None:
        self.generation = generation

    async def load(
        self, session: AsyncSession, partition: int, measures: Sequence[AnyMeasure]
    ) -> Stored:
        """Return a partition's states and offset; call it in one `read()` snapshot."""
        offset = await positions.load(session, CONSUMER, topic=CHAT.name, partition=partition)
        row = (await session.execute(sql.WATERMARK, {"partition": partition})).one_or_none()
        mark, log_ms, refold_below = row or (0, 0, None)
        mine = {"generation": self.generation, "partition": partition}
        found = await conversations(session, mine, States(measures))
        for measure in measures:
            await measure.load(session, generation=self.generation, partition=partition)
        spans = await book_spans(session, mine)
        return Stored(
            offset,
            int(mark),
            int(log_ms),
            {known.standing.name: known for known in found},
            refold_below,
            spans[-1] if spans else None,
        )

    async def take_over(
        self,
        session: AsyncSession,
        partition: int,
        measures: Sequence[AnyMeasure],
        *,
        stored: Stored,
        at: int,
    ) -> None:
        """Begin at `at`, by the book of the measures. Raises `Fenced`.

        That may be another place than where the partition stood: nothing was folded yet, or records
        are gone. Where a new format began, what the log gives again is removed.
        """
        await positions.advance(
            session,
            CONSUMER,
            topic=CHAT.name,
            partition=partition,
            expected=stored.next_offset,
            new=at,
        )
        if stored.begins_anew:
            await session.execute(sql.NO_WATERMARK, {"partition": partition})
            for measure in measures:
                await measure.begin_anew(session, Stretch(self.generation, partition, at, at))
        book = States(measures).book
        if book is not None and stored.is_judged_otherwise(book):
            await begin_span(
                session,
                book._replace(first_offset=at),
                generation=self.generation,
                partition=partition,
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
                "times": [part.log_ms for part in batch],
            },
        )
        await self._conversations(session, batch)
        await _forget(session, batch)
        measures = batch[0].states.measures if batch else ()
        for place, measure in enumerate(measures):
            deltas = [(part.stretch(self.generation), part.deltas[place]) for part in batch]
            await measure.store(session, deltas)

    async def caught_up(self, session: AsyncSession, at_ms: Mapping[int, int]) -> None:
        """Store through which moment partitions are folded."""
        await session.execute(
            sql.CAUGHT_UP, {"partitions": list(at_ms), "moments": list(at_ms.values())}
        )

    async def _conversations(self, session: AsyncSession, batch: Sequence[Changes]) -> None:
        rows = []
        for part in batch:
            for name, known in part.conversations.items():
                standing, waiting = known.standing, part.states.waiting(known)
                rows.append((
                    self.generation, name, part.partition, standing.shop_id, standing.open,
                    standing.owner, waiting.since_ms, waiting.oldest_ms, waiting.unsettled,
                    part.states.forget_after_ms(known), part.written[name],
                ))  # fmt: skip
        names = ("generations", "names", "partitions", "shops", "opens", "owners", "waits",
                 "oldest", "unsettled", "forgets", "states")  # fmt: skip
        await many(session, sql.CONVERSATIONS, names=names, rows=rows)


async def folded_through_ms(session: AsyncSession) -> int | None:
    """Return the moment up to which every partition is folded; None before the first fold."""
    found = (await session.execute(sql.FOLDED_THROUGH)).scalar()
    return None if found is None else int(found)


async def conversations(
    session: AsyncSession, mine: Mapping[str, int], states: States
) -> list[Conversation]:
    """Return all conversations of a `partition` and `generation`, read page by page.

    Read at once, those of a large partition would take longer than a statement may.
    """
    found: list[Conversation] = []
    rows = await session.stream(sql.STATES, mine)
    async for page in rows.partitions(PAGE):
        found += [states.decode(bytes(state)) for (state,) in page]
        await asyncio.sleep(0)
    return found


async def _forget(session: AsyncSession, batch: Sequence[Changes]) -> None:
    for part in batch:
        if part.forgotten:
            names = {"partition": part.partition, "names": part.forgotten}
            await session.execute(sql.FORGET, names)
