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
from kit.clock import Clock
from kit.errors import AppError, Dead, Fenced, Halt, Retry, Unavailable
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
    """The records, in order, that must be handed in again, and why."""

    reason: str
    records: list[Record]


@dataclass(frozen=True)
class _Bury:
    """A step of settling: everything before this record is done, now set it aside."""

    record: Record
    reason: str


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
        """Without `dead_letters` a dead record is counted and skipped."""
        self._handle = handle
        self._name = name
        self._clock = clock
        self._metrics = metrics
        self._dead_letters = dead_letters
        self._after_dead = after_dead

    async def settle(self, records: list[Record]) -> Later | None:
        """Handle the records in order; return what is left over for later, if anything.

        A batch that fails is halved until the culprit stands alone, so order within it is kept.
        Raises `Halt` and `Fenced` as they come.
        """
        steps: list[list[Record] | _Bury] = [records]
        while steps:
            step = steps.pop()
            try:
                if isinstance(step, _Bury):
                    await self._bury(step)
                else:
                    steps.extend(reversed(await self._attempt(step)))
            except (Retry, Unavailable, ConnectionError) as error:
                left = [step, *reversed(steps)]
                reason = error.reason if isinstance(error, Retry) else type(error).__name__
                return Later(reason, [record for part in left for record in _records(part)])
        return None

    async def _attempt(self, records: list[Record]) -> Sequence["list[Record] | _Bury"]:
        """Hand the records in; return the steps that follow from the verdict."""
        try:
            await self._call(records)
        except (Retry, Unavailable, ConnectionError, Halt, Fenced):
            raise
        except Dead as dead:
            return self._without_culprit(records, dead)
        except Exception as error:  # noqa: BLE001 - a handler's bug must not stop the topic
            if len(records) > 1:
                middle = len(records) // 2
                return records[:middle], records[middle:]
            return await self._try_again(records[0], error)
        self._count(records, "done")
        if self._dead_letters is not None:
            self._dead_letters.handled()
        return ()

    async def _try_again(self, record: Record, error: Exception) -> Sequence[_Bury]:
        """Give a record that stands alone its further tries."""
        for pause in TRY_PAUSES_S:
            if isinstance(error, AppError) and error.status < _CALLER_ERRORS:
                break  # a refusal is final: another try would be refused alike
            await self._clock.sleep(pause)
            try:
                await self._call([record])
            except (Retry, Unavailable, ConnectionError, Halt, Fenced):
                raise
            except Dead as dead:
                return (_Bury(record, dead.reason),)
            except Exception as again:  # noqa: BLE001 - as above
                error = again
            else:
                self._count([record], "done")
                return ()
        log.error("bus.handler.failed", name=self._name, offset=record.offset, exc_info=error)
        return (_Bury(record, _reason(error)),)

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
    ) -> Sequence["list[Record] | _Bury"]:
        places = [place for place, record in enumerate(records) if record is dead.culprit]
        if len(records) == 1:
            return (_Bury(records[0], dead.reason),)
        if not places:
            middle = len(records) // 2
            return records[:middle], records[middle:]
        at = places[0]
        before, after = records[:at], records[at + 1 :]
        bury = _Bury(records[at], dead.reason)
        return [step for step in (before, bury, after) if step]

    async def _bury(self, step: _Bury) -> None:
        if self._dead_letters is not None:
            await self._dead_letters.add(step.record, step.reason)
        else:
            log.warning("bus.skipped", name=self._name, offset=step.record.offset)
        if self._after_dead is not None:
            await self._after_dead(step.record)
        self._count([step.record], "dead")

    def _count(self, records: list[Record], outcome: str) -> None:
        for topic in {record.topic for record in records}:
            count = sum(1 for record in records if record.topic == topic)
            self._metrics.consumed.labels(self._name, topic, outcome).inc(count)


def _records(step: "list[Record] | _Bury") -> list[Record]:
    return [step.record] if isinstance(step, _Bury) else step


def _reason(error: Exception) -> str:
    """Name the error and its line, never its text: a text may quote the record (P17)."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    slug = f" {error.slug}" if isinstance(error, AppError) else ""
    return f"{type(error).__name__}{slug}{where}"
