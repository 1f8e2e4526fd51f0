"""Time as an argument: what parts need of a clock, the real one, and one that tests move by hand.

Knows nothing of who waits or why.
"""

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_SETTLE_STEPS = 20
"""Turns of the event loop granted to woken sleepers before `ManualClock.walk` moves on."""


class Clock(Protocol):
    """Wall time for facts, monotonic time for durations, and a sleep that follows the latter."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""

    def now_ms(self) -> int:
        """Return the wall time in milliseconds since 1970."""

    def monotonic(self) -> float:
        """Return seconds on a scale that never goes back; only differences mean anything."""

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds of this clock; zero or less yields once."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that moves only when told to; sleepers wake in the order of their due times."""

    def __init__(self, start: datetime = datetime(2026, 11, 11, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    @property
    def sleepers(self) -> int:
        """How many tasks are asleep on this clock."""
        return sum(1 for _, _, waker in self._sleepers if not waker.done())

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def now_ms(self) -> int:
        return round(self.now().timestamp() * 1000)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), waker))
        await waker

    def advance(self, seconds: float) -> None:
        """Jump ahead and wake whoever is due; the woken run when the caller next awaits."""
        self._move_to(self._elapsed + seconds)

    async def walk(self, seconds: float) -> None:
        """Move ahead from one due time to the next, letting the woken run (and sleep) again."""
        await self._settle()
        target = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= target:
            self._move_to(self._sleepers[0][0])
            await self._settle()
        self._move_to(target)
        await self._settle()

    def _move_to(self, moment: float) -> None:
        self._elapsed = max(self._elapsed, moment)
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _, _, waker = heapq.heappop(self._sleepers)
            if not waker.done():
                waker.set_result(None)

    async def _settle(self) -> None:
        for _ in range(_SETTLE_STEPS):
            await asyncio.sleep(0)
