"""Settling: a handler's verdicts carried out, so that one bad record costs one record.

Knows no consumer: given records in order, it says which of them must be handed in again.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from kit.bus.deadletter import DeadLetters
from kit.bus.ports import Record
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
AfterDead: TypeAlias = Callable[[Record], Awaitable[None]]


@dataclass(frozen=True)
class Later:
    """The records, in order, that must be handed in again, and why.

    `at_once`: nothing is wrong with what they need; they wait for the end of a rest at most.
    """

    reason: str
    records: list[Record]
    at_once: bool = False


@dataclass(frozen=True)
class Bury:
    """A step of settling: everything before this record is done, now set it aside."""

    record: Record
    reason: str
    foreseen: bool = False


class _TooMany(Exception):
    """The record is not set aside: the group must rest first."""


class Settler:
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

    async def settle(self, records: list[Record]) -> Later | None:
        """Handle the records in order; return what is left over for later, if anything.

        A batch that fails is halved until the culprit stands alone, so order within it is kept.
        What came before a culprit that is one too many is handled; it and the rest are left over,
        and `rests` says for how long. Raises `Fenced` as it comes.
        """
        steps: list[list[Record] | Bury] = [records]
        while steps:
            step = steps.pop()
            try:
                if isinstance(step, Bury):
                    await self._bury(step)
                else:
                    steps.extend(reversed(await self.attempt(step)))
            except (Retry, Unavailable, ConnectionError, _TooMany) as error:
                left = [step, *reversed(steps)]
                again = [record for part in left for record in _records(part)]
                return Later(why(error), again, at_once=isinstance(error, _TooMany))
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

    async def attempt(self, records: list[Record]) -> Sequence["list[Record] | Bury"]:
        """Hand the records in; return the steps that follow from the verdict."""
        try:
            await self._call(records)
        except (Retry, Unavailable, ConnectionError, Fenced):
            raise
        except Dead as dead:
            return self._without_culprit(records, dead)
        except Exception as error:  # noqa: BLE001 - a handler's bug must not stop the topic
            if len(records) > 1:
                middle = len(records) // 2
                return records[:middle], records[middle:]
            return await self._try_more(records[0], error)
        self._done(records)
        return ()

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

    def _without_culprit(
        self, records: list[Record], dead: Dead
    ) -> Sequence["list[Record] | Bury"]:
        places = [place for place, record in enumerate(records) if record is dead.culprit]
        if len(records) == 1:
            return (Bury(records[0], dead.reason, dead.foreseen),)
        if not places:
            middle = len(records) // 2
            return records[:middle], records[middle:]
        at = places[0]
        before, after = records[:at], records[at + 1 :]
        bury = Bury(records[at], dead.reason, dead.foreseen)
        return [step for step in (before, bury, after) if step]

    async def _bury(self, step: Bury) -> None:
        """Set a record aside. Raises `_TooMany` instead, and rests, at the limit in a row."""
        counts = self._dead_letters is not None and not step.foreseen
        if counts and not self.rests.admit(step.record.key):
            self.rests.begin(step.reason)
            raise _TooMany("too many dead letters in a row")
        await self.set_aside(step)

    async def set_aside(self, step: Bury) -> None:
        """Write the letter, do what follows it, count it. Raises `Retry`, `Fenced`."""
        await self.write(step)
        if self._after_dead is not None:
            try:
                await self._after_dead(step.record)
            except (Retry, Unavailable, ConnectionError, Fenced):
                raise
            except Exception as error:
                # The record is neither handled nor passed: nothing is left but to try once more.
                log.exception("bus.after_dead.failed", name=self._name, offset=step.record.offset)
                raise Retry("what follows a dead letter failed") from error
        self.buried(step)

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

    def _done(self, records: list[Record]) -> None:
        self._count(records, "done")
        self.rests.handled()

    def _count(self, records: list[Record], outcome: str) -> None:
        for topic in {record.topic for record in records}:
            count = sum(1 for record in records if record.topic == topic)
            self._metrics.consumed.labels(self._name, topic, outcome).inc(count)


def _records(step: "list[Record] | Bury") -> list[Record]:
    return [step.record] if isinstance(step, Bury) else step


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
