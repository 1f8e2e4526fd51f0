"""The trial after a rest: one record that can be handled is looked for, none is lost on the way.

Knows no handler and no consumer: the retry hands records in, the loop reads again what is left.
"""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from kit.bus.burying import Bury
from kit.bus.ports import Record, TopicPartition
from kit.bus.settling import Deferred, RetryPolicy, why
from kit.clock import Clock
from kit.errors import Retry, Unavailable

TRIAL_S: Final = 2.0
"""How long a trial looks for a record that can be handled; then the group rests on."""


class Trial:
    """One trial over the records in hand.

    Every partition's first record is handed in, then every second one, and so on, those of keys
    not set aside lately first. A success ends the rest, and what stands before it in its partition
    is set aside. Without one a single record is set aside, the first that was tried, and the group
    rests on. So an attack delays the others by a rest, and a bad release costs a record a rest.
    """

    def __init__(
        self, retry: RetryPolicy, records: list[Record], *, since: float, clock: Clock
    ) -> None:
        """Give the next rest, if there is one, its length from `since`."""
        self._retry = retry
        self._records = records
        self._clock = clock
        self._since = since
        self._until = clock.monotonic() + TRIAL_S
        self._before: dict[TopicPartition, list[Bury]] = {}
        self._written: list[Record] = []
        self._settled: list[Record] = []

    async def run(self) -> Deferred | None:
        """Try; return all that must be handed in again. Raises `Fenced`."""
        try:
            await self._search()
            if self._retry.rests.reason is not None:
                await self._pour_away()
        except (Retry, Unavailable, ConnectionError) as error:
            return Deferred(why(error), self._left())
        finally:
            await self._retry.dead_letters.take_back(self._written)
        left = self._left()
        return Deferred("the trial is over", left, at_once=True) if left else None

    async def _search(self) -> None:
        """Hand records in until one is handled.

        Before one is handed in, the letter of the failed one before it is written: if it succeeds,
        a crash right after leaves none out.
        """
        for record in self._by_depth():
            if self._clock.monotonic() >= self._until:
                return
            passed = self._before.setdefault(record.tp, [])
            if passed:
                await self._retry.dead_letters.write(passed[-1])
                self._written.append(passed[-1].record)
            verdict = await self._retry.judge(record)
            if verdict is None:
                self._go_past(passed, record)
                return
            if verdict.foreseen and not passed:
                await self._retry.set_aside(verdict)
                self._settled.append(record)
            else:
                passed.append(verdict)

    def _go_past(self, passed: Sequence[Bury], record: Record) -> None:
        """Settle a record that was handled, and those before it whose letters are written.

        What follows a dead letter is not called for: the handled one has moved the place past them.
        """
        self._settled.append(record)
        for bury in passed:
            self._retry.buried(bury)
            self._settled.append(bury.record)
        self._written = [one for one in self._written if one.tp != record.tp]

    async def _pour_away(self) -> None:
        """Give the first record all its tries, else set it aside and rest on."""
        left = {id(record) for record in self._left()}
        first = [record for record in self._by_depth() if id(record) in left][:1]
        for step in await self._retry.attempt(first) if first else ():
            if isinstance(step, Bury):
                await self._retry.set_aside(step)
                if not step.foreseen:
                    self._retry.rests.again(step.reason, since=self._since)
                self._written = [one for one in self._written if one is not step.record]
        self._settled += first

    def _by_depth(self) -> list[Record]:
        lanes: dict[TopicPartition, list[Record]] = {}
        for record in self._records:
            lanes.setdefault(record.tp, []).append(record)
        lately = self._retry.rests.lately
        fresh_first = sorted(lanes.values(), key=lambda lane: lately(lane[0].key))
        return [one for row in zip_longest(*fresh_first) for one in row if one is not None]

    def _left(self) -> list[Record]:
        settled = {id(record) for record in self._settled}
        return [record for record in self._records if id(record) not in settled]
