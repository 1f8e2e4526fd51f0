"""Settling: a handler's verdicts carried out, so that one bad record costs one record.

Knows no consumer: given records in order, it says which of them must be handed in again.
"""

import asyncio
import operator
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from kit.bus.burying import AfterDead, Bury, DeadLetterPolicy, Part, TooMany
from kit.bus.deadletter import DeadLetters
from kit.bus.ports import Record
from kit.bus.resting import Rests
from kit.clock import Clock
from kit.errors import AppError, Dead, Fenced, Retry, Unavailable
from kit.metrics import Metrics

log = structlog.get_logger()

HANDLE_TIMEOUT_S: Final = 10.0
"""A handler that takes longer has failed: every wait of its own must be shorter."""

TRY_PAUSES_S: Final = (0.05, 0.2)
"""Between the tries of one record. Short, for everything behind it waits (P13: 10 s at most)."""

_CALLER_ERRORS: Final = 500

Handle: TypeAlias = Callable[[list[Record]], Awaitable[None]]


@dataclass(frozen=True)
class Deferred:
    """The records, in order, that must be handed in again, and why.

    `at_once`: nothing is wrong with what they need; they wait for the end of a rest at most.
    """

    reason: str
    records: list[Record]
    at_once: bool = False


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
        self.rests = Rests(name, clock=clock, metrics=metrics)
        self.dead_letters = DeadLetterPolicy(
            dead_letters, name=name, rests=self.rests, after_dead=after_dead
        )
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
                    self.dead_letters.admit(step)
                    await self.set_aside(step)
                else:
                    steps.extend(reversed(await self.attempt(step)))
            except (Retry, Unavailable, ConnectionError, TooMany) as error:
                left = [one for part in (step, *reversed(steps)) for one in _items(part)]
                rests = isinstance(error, TooMany)
                if rests:
                    early = [one.record for one in left if isinstance(one, Bury) and one.written]
                    await self.dead_letters.take_back(early)
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
            cut = self.dead_letters.one_too_many(part)
            if cut is not None:
                return _around(part, cut)
            part = await self.dead_letters.write_together(part)
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

    async def _passed(self, part: Part, records: list[Record]) -> None:
        """Settle a part of which the records were handled and the letters are written."""
        ends = {one.tp: one for one in part} if len(records) < len(part) else {}
        buried = [one.record for one in ends.values() if isinstance(one, Bury)]
        await self.dead_letters.go_behind(buried)
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

    async def set_aside(self, step: Bury) -> None:
        """Write the letter, do what follows it, count it. Raises `Retry`, `Fenced`."""
        await self.dead_letters.write(step)
        await self.dead_letters.go_behind([step.record])
        self.buried(step)

    def buried(self, step: Bury) -> None:
        """Count a record as set aside."""
        self.dead_letters.note(step)
        self._count([step.record], "dead")

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
    if isinstance(error, Retry | TooMany):
        return str(error)
    return type(error).__name__


def _reason(error: Exception) -> str:
    """Name the error and its line, never its text: a text may quote the record (P17)."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    slug = f" {error.slug}" if isinstance(error, AppError) else ""
    return f"{type(error).__name__}{slug}{where}"
