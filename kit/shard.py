"""One shard of the outbox in its worker's hand: rows under way to the broker, keys held back.

Knows neither PostgreSQL nor the broker, and is told the time. A row that fails holds back later
rows of its key and no others (H45): whoever reads leaves out what `left_out` names.
"""

import asyncio
import zlib
from collections.abc import Iterable
from typing import Final, NamedTuple

import structlog

from kit.bus.ports import Position, Refused, Stalled

log = structlog.get_logger()

LEFT_OUT: Final = 1_000
"""Keys of a shard under way or held back at once, and with them what a worker remembers.

At the limit it reads no more of its shard until one is free; `peakdesk_outbox_held_keys` says so.
"""

STALL_S: Final = 1.0
"""A key is tried again after this time, however often, if its row was only `Stalled`."""

HOLD_S: Final = 1.0
HOLD_LIMIT_S: Final = 60.0
"""A key whose own row failed waits this long at first, and at most; each failure doubles it."""

Answer = asyncio.Future[Position]


class _UnderWay(NamedTuple):
    """A row that the broker has not answered for."""

    key: str
    answer: Answer


class Settled(NamedTuple):
    """What became of the rows that were answered."""

    published: list[int]
    """Ids of rows that the broker has: to be deleted."""
    stalled: bool
    """Rows failed through no fault of theirs: the broker is away, or another row broke it."""


class _Hold(NamedTuple):
    """Why a key is left out, and until when."""

    until: float
    failures: int
    """How often its own row failed; 0 where it was only stalled."""


class Shard:
    """What one worker knows of its shard. Its rows stand in PostgreSQL; this is only memory."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lease = f"outbox/{number}"
        self.woken = asyncio.Event()
        self._under_way: dict[int, _UnderWay] = {}
        self._latest: dict[str, Answer] = {}
        self._held: dict[str, _Hold] = {}

    def blamed(self) -> int:
        """Return how many keys wait for a row that failed by itself."""
        return sum(1 for hold in self._held.values() if hold.failures)

    @property
    def waits(self) -> bool:
        """Whether rows are under way, or keys held back: then there is something to do in time."""
        return bool(self._under_way or self._held)

    def left_out(self, now: float) -> list[str]:
        """Return the keys of which nothing may be read now."""
        held = (key for key, hold in self._held.items() if hold.until > now)
        return list(dict.fromkeys((*self._latest, *held)))

    def answers(self) -> list[Answer]:
        """Return the answers that are still to come."""
        return [row.answer for row in self._under_way.values() if not row.answer.done()]

    def sent(self, row_id: int, key: str, answer: Answer) -> bool:
        """Remember a row that was handed over; tell whether the next of its key may follow."""
        self._under_way[row_id] = _UnderWay(key, answer)
        self._latest[key] = answer
        return not _failed(answer)

    def blocks(self, key: str) -> bool:
        """Tell whether the row of this key that was handed over last has failed meanwhile."""
        latest = self._latest.get(key)
        return latest is not None and _failed(latest)

    def settle(self, now: float) -> Settled:
        """Forget every row that was answered, and hold back the keys of those that failed."""
        done = {row_id: row for row_id, row in self._under_way.items() if row.answer.done()}
        published = []
        for row_id, row in done.items():
            del self._under_way[row_id]
            if not _failed(row.answer):
                published.append(row_id)
                self._held.pop(row.key, None)
        self._latest = {row.key: row.answer for row in self._under_way.values()}
        return Settled(published, stalled=self._hold_failed(done, now))

    def hold(self, key: str, now: float, *, row_id: int, error: BaseException) -> None:
        """Hold a key back for its own row's sake, the longer the more often."""
        before = self._held.get(key)
        failures = 1 + (before.failures if before is not None else 0)
        self._held[key] = _Hold(now + _pause(key, failures), failures)
        log.warning(
            "relay.held",
            shard=self.number,
            key=key,
            row=row_id,
            failures=failures,
            error=type(error).__name__,
        )

    def forget_empty(self, read: Iterable[str], now: float) -> None:
        """After a read that reached the end: drop holds that are over and have no rows left."""
        found = set(read)
        gone = [key for key, hold in self._held.items() if hold.until <= now and key not in found]
        for key in gone:
            del self._held[key]

    def _hold_failed(self, done: dict[int, _UnderWay], now: float) -> bool:
        """Hold the keys of what failed, of several rows of a key for the first one's reason.

        Return whether any was only stalled.
        """
        seen: set[str] = set()
        stalled = False
        for row_id, row in done.items():
            if not _failed(row.answer) or row.key in seen:
                continue
            seen.add(row.key)
            error = _error(row.answer)
            if isinstance(error, Stalled) and not isinstance(error, Refused):
                before = self._held.get(row.key)
                failures = before.failures if before is not None else 0
                self._held[row.key] = _Hold(now + STALL_S, failures)
                stalled = True
            else:
                self.hold(row.key, now, row_id=row_id, error=error)
        return stalled


def _pause(key: str, failures: int) -> float:
    """Return how long a key waits: doubled by each failure, and spread by the key.

    The broker refuses whole batches: what shared one with the row at fault fails as it does.
    Spread apart, the innocent find a turn without it; in step they would meet it again each time.
    """
    spread = zlib.crc32(f"{key}/{failures}".encode()) / 2**32
    return float(min(HOLD_LIMIT_S, HOLD_S * 2.0 ** (failures - 1)) * (0.5 + spread))


def _failed(answer: Answer) -> bool:
    return answer.done() and (answer.cancelled() or answer.exception() is not None)


def _error(answer: Answer) -> BaseException:
    return (None if answer.cancelled() else answer.exception()) or asyncio.CancelledError()
