"""Settling: a handler's verdicts carried out, so that one bad record costs one record.

Knows no consumer: given records in order, it says which of them must be handed in again.
"""

import asyncio
import operator
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from kit.bus.deadletter import DeadLetters
from kit.bus.ports import Record, TopicPartition
from kit.bus.resting import Rests
from kit.clock import Clock
from kit.errors import AppError, Dead, Fenced, Retry, Unavailable
from kit.metrics import Metrics

log = structlog.get_logger()

HANDLE_TIMEOUT_S: Final = 10.0
"""A handler that takes longer has failed: every wait of its own must be shorter."""

TRIES: Final = 3
TRY_PAUSES_S: Final = (0.05, 0.2)
"""Between the tries of one record. Short, for everything behind it waits (P13: 10 s at most)."""

_CALLER_ERRORS: Final = 500

Handle: TypeAlias = Callable[[list[Record]], Awaitable[None]]
AfterDead: TypeAlias = Callable[[list[Record]], Awaitable[None]]
"""Told the last record of each partition, if it is one that was set aside: go on behind it."""


@dataclass(frozen=True)
class Deferred:
    """The records, in order, that must be handed in again, and why.

    `at_once`: nothing is wrong with what they need; they wait for the end of a rest at most.
    """

    reason: str
    records: list[Record]
    at_once: bool = False


@dataclass(frozen=True)
class Bury:
    """Set this record aside. As a step of its own: everything before it is done."""

    record: Record
    reason: str
    foreseen: bool = False
    written: bool = False
    """Whether its letter is out, while those around it are not handled yet."""

    @property
    def tp(self) -> TopicPartition:
        """The log that the record stands in."""
        return self.record.tp


Part: TypeAlias = Sequence[Record | Bury]
"""A step: records in order, to be handled in one call, and those among them to be set aside."""


class _TooMany(Exception):
    """The record is not set aside: the group must rest first."""


class RetryPolicy:
    """Hands records to a handler and obeys its verdict. The handler is all or nothing per call."""

    def __init__(
        self,
        handle: Handle,
        *,
        name: str,
        clock: Clock,
        metrics: Metrics,
        dead_letters: DeadLetters | None,
        after_dead: AfterDead | None = None,
    ) -> None:
        """Without `dead_letters` a dead record is counted and skipped, and nobody rests."""
        self._handle = handle
        self._name = name
        self._clock = clock
        self._metrics = metrics
        self._dead_letters = dead_letters
        self._after_dead = after_dead
        self.rests = Rests(name, clock=clock, metrics=metrics)
        self.on_progress: Callable[[], None] = _nothing
        """Called after each step: a batch that is settled in many is no batch that hangs."""

    async def settle(self, records: list[Record]) -> Deferred | None:
        """Handle the records in order; return what is left over for later, if anything.

        Records that the handler names as dead have their letters written together; the others are
        handed in again in one call, and what is behind an offending record counts as passed only
        then. A batch that fails without a name is halved until it stands alone. Either way order is
        kept. What came before one that is one too many is handled; it and the rest are left
        over, and `rests` says for how long. Raises `Fenced` as it comes.
        """
        steps: list[Part | Bury] = [records]
        while steps:
            step = steps.pop()
            try:
                if isinstance(step, Bury):
                    await self._bury(step)
                else:
                    steps.extend(reversed(await self.attempt(step)))
            except (Retry, Unavailable, ConnectionError, _TooMany) as error:
                left = [one for part in (step, *reversed(steps)) for one in _items(part)]
                rests = isinstance(error, _TooMany)
                if rests:
                    early = [one.record for one in left if isinstance(one, Bury) and one.written]
                    await self.take_back(early)
                return Deferred(why(error), [_record(one) for one in left], at_once=rests)
        return None

    async def judge(self, record: Record) -> Bury | None:
        """Hand a record in once; return why it must be set aside, None if it was handled."""
        try:
            await self._call([record])
        except (Retry, Unavailable, ConnectionError, Fenced):
            raise
        except Dead as dead:
            return Bury(record, dead.reason, dead.foreseen)
        except Exception as error:  # noqa: BLE001 - a handler's bug must not stop the topic
            return Bury(record, _reason(error))
        self._done([record])
        return None

    async def attempt(self, part: Part) -> Sequence[Part | Bury]:
        """Hand the records in; return the steps that follow from the verdict."""
        records = [one for one in part if isinstance(one, Record)]
        if len(records) < len(part):
            cut = self._one_too_many(part)
            if cut is not None:
                return _around(part, cut)
            part = await self._write_together(part)
        try:
            if records:
                await self._call(records)
        except (Retry, Unavailable, ConnectionError, Fenced):
            raise
        except Dead as dead:
            return _marked(part, dead) or _halves(part, records)
        except Exception as error:  # noqa: BLE001 - a handler's bug must not stop the topic
            if len(part) == 1:
                return await self._try_more(records[0], error)
            return _halves(part, records)
        await self._passed(part, records)
        return ()

    def _one_too_many(self, part: Part) -> int | None:
        """Return the place before which the group must rest, if all that is not dead succeeds."""
        row = self.rests.ahead()
        for place, one in enumerate(part):
            if isinstance(one, Record):
                row.end()
            elif self._counts(one) and not row.admit(one.record.key):
                return place
        return None

    async def _write_together(self, part: Part) -> Part:
        """Write the letters that are not out, before a call that goes past their records."""
        due = [one for one in part if isinstance(one, Bury) and not one.written]
        for failed in await asyncio.gather(*map(self.write, due), return_exceptions=True):
            if failed is not None:
                raise failed
        return [replace(one, written=True) if isinstance(one, Bury) else one for one in part]

    async def _passed(self, part: Part, records: list[Record]) -> None:
        """Settle a part of which the records were handled and the letters are written."""
        ends = {one.tp: one for one in part} if len(records) < len(part) else {}
        await self._go_behind([one.record for one in ends.values() if isinstance(one, Bury)])
        for one in part if ends else ():
            if isinstance(one, Bury):
                self.buried(one)
            else:
                self.rests.handled()
        if not ends:
            self._done(records)
        elif records:
            self._count(records, "done")

    async def _try_more(self, record: Record, error: Exception) -> Sequence[Bury]:
        """Give a record that stands alone its further tries."""
        for pause in TRY_PAUSES_S:
            if isinstance(error, AppError) and error.status < _CALLER_ERRORS:
                break  # a refusal is final: another try would be refused alike
            await self._clock.sleep(pause)
            try:
                await self._call([record])
            except (Retry, Unavailable, ConnectionError, Fenced):
                raise
            except Dead as dead:
                return (Bury(record, dead.reason, dead.foreseen),)
            except Exception as again:  # noqa: BLE001 - as above
                error = again
            else:
                self._done([record])
                return ()
        log.error("bus.handler.failed", name=self._name, offset=record.offset, exc_info=error)
        return (Bury(record, _reason(error)),)

    async def _call(self, records: list[Record]) -> None:
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(HANDLE_TIMEOUT_S):
                await self._handle(records)
        finally:
            took = self._clock.monotonic() - started
            self._metrics.handle_seconds.labels(self._name).observe(took)

    async def _bury(self, step: Bury) -> None:
        """Set a record aside. Raises `_TooMany` instead, and rests, at the limit in a row."""
        if self._counts(step) and not self.rests.admit(step.record.key):
            self.rests.begin(step.reason)
            raise _TooMany("too many dead letters in a row")
        await self.set_aside(step)

    async def set_aside(self, step: Bury) -> None:
        """Write the letter, do what follows it, count it. Raises `Retry`, `Fenced`."""
        await self.write(step)
        await self._go_behind([step.record])
        self.buried(step)

    async def _go_behind(self, records: list[Record]) -> None:
        if self._after_dead is None or not records:
            return
        try:
            await self._after_dead(records)
        except (Retry, Unavailable, ConnectionError, Fenced):
            raise
        except Exception as error:
            # The record is neither handled nor passed: nothing is left but to try once more.
            log.exception("bus.after_dead.failed", name=self._name, offset=records[0].offset)
            raise Retry("what follows a dead letter failed") from error

    async def write(self, step: Bury) -> None:
        """Write the letter alone. Raises `Retry`."""
        if self._dead_letters is not None:
            await self._dead_letters.write(step.record, step.reason)

    async def take_back(self, records: Sequence[Record]) -> None:
        """Close letters that were written too soon. One that stays open is closed by a replay."""
        try:
            for record in records:
                if self._dead_letters is not None:
                    await self._dead_letters.take_back(record)
        except Retry as away:
            log.warning("bus.letter.not_taken_back", name=self._name, reason=away.reason)

    def buried(self, step: Bury) -> None:
        """Count a record as set aside."""
        if self._dead_letters is not None:
            self._dead_letters.count(step.record, step.reason)
        else:
            log.warning("bus.skipped", name=self._name, offset=step.record.offset)
        if not step.foreseen:
            self.rests.set_aside(step.record.key)
        self._count([step.record], "dead")

    def _counts(self, step: Bury) -> bool:
        """Tell whether setting it aside may make the group rest."""
        return self._dead_letters is not None and not step.foreseen

    def _done(self, records: list[Record]) -> None:
        self._count(records, "done")
        self.rests.handled()

    def _count(self, records: list[Record], outcome: str) -> None:
        for topic in {record.topic for record in records}:
            count = sum(1 for record in records if record.topic == topic)
            self._metrics.consumed.labels(self._name, topic, outcome).inc(count)
        self.on_progress()


def _nothing() -> None:
    """What follows progress that nobody watches."""


def _items(step: Part | Bury) -> Part:
    return (step,) if isinstance(step, Bury) else step


def _record(one: Record | Bury) -> Record:
    return one.record if isinstance(one, Bury) else one


def _around(part: Part, place: int) -> Sequence[Part | Bury]:
    """Return the steps of a part of which one record must be alone."""
    one = part[place]
    steps = part[:place], one if isinstance(one, Bury) else (one,), part[place + 1 :]
    return [step for step in steps if step]


def _marked(part: Part, dead: Dead) -> Sequence[Part | Bury]:
    """Return the part with the dead in their places, nothing if the verdict names none of it."""
    if len(part) == 1:
        return [Bury(_record(part[0]), dead.reason, dead.foreseen)]
    known = {id(one.offending): one for one in dead.each if one.offending is not None}
    marked = [
        Bury(one, found.reason, found.foreseen)
        if isinstance(one, Record) and (found := known.get(id(one)))
        else one
        for one in part
    ]
    return [marked] if any(map(operator.is_not, marked, part)) else []


def _halves(part: Part, records: list[Record]) -> Sequence[Part | Bury]:
    """Return a part in two, or its one record by itself: what is wrong with it is not known."""
    middle = records[len(records) // 2]
    place = next(place for place, one in enumerate(part) if one is middle)
    return (part[:place], part[place:]) if len(records) > 1 else _around(part, place)


def why(error: Exception) -> str:
    """Name what must be waited for."""
    if isinstance(error, Retry | _TooMany):
        return str(error)
    return type(error).__name__


def _reason(error: Exception) -> str:
    """Name the error and its line, never its text: a text may quote the record (P17)."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    slug = f" {error.slug}" if isinstance(error, AppError) else ""
    return f"{type(error).__name__}{slug}{where}"
