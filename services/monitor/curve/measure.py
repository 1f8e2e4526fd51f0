"""Response times, and beside them how many wait: each round that ends is put into its minutes.

Knows rounds and its tables; costs nothing until something settles. Must not know the machine.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from services.monitor.curve import repository
from services.monitor.curve.domain import Minutes, Wait, add
from services.monitor.directory.rules import Rules
from services.monitor.fold.measures import BookSpan, Kept, Row, Stretch
from services.monitor.profiles.domain import ReadingKey, waits_for_people
from services.monitor.response.domain import Round
from services.monitor.response.measure import Changes, Response
from services.monitor.response.schemas import Evidence

OFFSETS: Final = 1_000
"""Rounds that one statement looks up."""


class Charted(Response):
    """Response times whose open rounds are counted by minute.

    A release that does not count may have folded meanwhile: the mark says so, and the minutes of
    the partition are counted from its stored rounds first.
    """

    def __init__(self, rules: Rules, evidence: Evidence | None = None) -> None:
        super().__init__(rules, evidence)
        self._calendar_of = rules.directory.calendar

    @override
    def under(self, span: BookSpan) -> "Charted":
        """Return the measure by the readings of an earlier book and what of its rules is known."""
        readings = [ReadingKey(key) for key in span.readings]
        return Charted(self._rules.under(readings, span.digests), self._evidence)

    @override
    async def store(self, session: AsyncSession, deltas: Sequence[tuple[Stretch, Changes]]) -> None:
        """Count minutes ahead of the rounds, which still stand as earlier batches left them."""
        for stretch in await repository.advance(session, [stretch for stretch, _ in deltas]):
            await self._count_anew(session, stretch)
        counted = [(stretch, self._minutes(delta)) for stretch, delta in deltas]
        for (stretch, minutes), (_, delta) in zip(counted, deltas, strict=True):
            offsets = delta.withdrawn_rounds
            for first in range(0, len(offsets), OFFSETS):
                some = offsets[first : first + OFFSETS]
                for wait in await repository.stored(session, stretch, some):
                    add(minutes, wait, self._calendar_of(wait.shop_id), times=-1)
        await repository.add(session, [(stretch.partition, found) for stretch, found in counted])
        await super().store(session, deltas)

    @override
    async def begin_anew(self, session: AsyncSession, stretch: Stretch) -> None:
        """Remove rounds from there on; the next batch counts the minutes of those that stay."""
        await super().begin_anew(session, stretch)
        await repository.forget_mark(session, stretch.partition)

    @override
    def rows(self, delta: Changes) -> Iterable[Row]:
        """Yield minutes, too."""
        yield from super().rows(delta)
        for key, minute in self._minutes(delta).items():
            yield repository.row_of(key, minute)

    @override
    async def kept(self, session: AsyncSession, *, generation: int, partition: int) -> Kept:
        """Return what is stored, minutes too."""
        found = await super().kept(session, generation=generation, partition=partition)
        minutes = await repository.kept(session, partition)
        return Kept([*found.rows, *minutes], found.differences, found.skips)

    async def _count_anew(self, session: AsyncSession, stretch: Stretch) -> None:
        await repository.begin(session, stretch)
        minutes: Minutes = {}
        async for page in repository.waits(session, stretch.partition):
            for wait in page:
                add(minutes, wait, self._calendar_of(wait.shop_id))
        await repository.add(session, [(stretch.partition, minutes)])

    def _minutes(self, delta: Changes) -> Minutes:
        found: Minutes = {}
        for ended in _waits(ended for ended, _ in delta.rounds):
            wait = Wait(ended.shop_id, ended.opened_ms, ended.closed_ms)
            add(found, wait, self._calendar_of(ended.shop_id))
        return found


def _waits(rounds: Iterable[Round]) -> Iterable[Round]:
    """Yield each wait once: readings that agree on who waits may differ in the session's begin."""
    known: set[int] = set()
    for ended in rounds:
        if ended.opened_offset not in known and any(map(waits_for_people, ended.readings)):
            known.add(ended.opened_offset)
            yield ended
