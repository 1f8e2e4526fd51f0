"""Setting records aside: the letters, what follows them, and when the group must rest first (H29).

Knows no handler; which records cannot be handled, `kit.bus.settling` finds out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import structlog

from kit.bus.deadletter import DeadLetters
from kit.bus.ports import Record, TopicPartition
from kit.bus.resting import Rests
from kit.errors import Fenced, Retry, Unavailable

log = structlog.get_logger()

AfterDead: TypeAlias = Callable[[list[Record]], Awaitable[None]]
"""Told the last record of each partition, if it is one that was set aside: go on behind it."""


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


class TooMany(Exception):
    """The record is not set aside: the group must rest first."""


class DeadLetterPolicy:
    """What is done about a record that is set aside. Without `letters`: counted, and no rest."""

    def __init__(
        self,
        letters: DeadLetters | None,
        *,
        name: str,
        rests: Rests,
        after_dead: AfterDead | None,
    ) -> None:
        self._letters = letters
        self._name = name
        self._rests = rests
        self._after_dead = after_dead

    def admit(self, step: Bury) -> None:
        """Allow a record to be set aside. Raises `TooMany` instead, and rests, at the limit."""
        if self._counts(step) and not self._rests.admit(step.record.key):
            self._rests.begin(step.reason)
            raise TooMany("too many dead letters in a row")

    def one_too_many(self, part: Part) -> int | None:
        """Return the place before which the group must rest, if all that is not dead succeeds."""
        row = self._rests.ahead()
        for place, one in enumerate(part):
            if isinstance(one, Record):
                row.end()
            elif self._counts(one) and not row.admit(one.record.key):
                return place
        return None

    async def write(self, step: Bury) -> None:
        """Write the letter alone. Raises `Retry`."""
        if self._letters is not None:
            await self._letters.write(step.record, step.reason)

    async def write_together(self, part: Part) -> Part:
        """Write the letters that are not out, before a call that goes past their records."""
        due = [one for one in part if isinstance(one, Bury) and not one.written]
        for failed in await asyncio.gather(*map(self.write, due), return_exceptions=True):
            if failed is not None:
                raise failed
        return [replace(one, written=True) if isinstance(one, Bury) else one for one in part]

    async def take_back(self, records: Sequence[Record]) -> None:
        """Close letters that were written too soon. One that stays open is closed by a replay."""
        try:
            for record in records:
                if self._letters is not None:
                    await self._letters.take_back(record)
        except Retry as away:
            log.warning("bus.letter.not_taken_back", name=self._name, reason=away.reason)

    async def go_behind(self, records: list[Record]) -> None:
        """Do what follows the letters of these records. Raises `Retry`, `Fenced`."""
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

    def note(self, step: Bury) -> None:
        """Count a record whose letter is out, and its key for the row that ends in a rest."""
        if self._letters is not None:
            self._letters.count(step.record, step.reason)
        else:
            log.warning("bus.skipped", name=self._name, offset=step.record.offset)
        if not step.foreseen:
            self._rests.set_aside(step.record.key)

    def _counts(self, step: Bury) -> bool:
        """Tell whether setting it aside may make the group rest."""
        return self._letters is not None and not step.foreseen
