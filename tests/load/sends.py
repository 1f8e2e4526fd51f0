"""What one end of a pair has to say, said as `docs/protocol.md` asks of every client.

Within the rate; and after a `retry` nothing more until its time is over, then the oldest alone, and
the others once that is answered. Knows serials, no frames and no socket.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from typing import Any, Final

from kit.clock import SystemClock
from kit.web.limits import TokenBucket

FRAMES_PER_S: Final = 16.0
BURST: Final = 32
"""Four fifths of what the gateway admits: its bucket and ours do not tick together."""

LATE: Final = 1.25
"""Longest wait, as a multiple of what a refusal says."""

Write = Callable[[int, bool], None]
"""Puts a serial on the wire; told whether it may be in the log already."""


class Sends:
    """Serials in their order. `refused` and `answered` are told what became of each try."""

    def __init__(self, write: Write, chance: random.Random) -> None:
        self._write = write
        self._chance = chance
        self._bucket = TokenBucket(FRAMES_PER_S, BURST, SystemClock())
        self._waiting: list[int] = []
        self._doubtful: set[int] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._pace: asyncio.TimerHandle | None = None
        self._probe: int | None = None

    def say(self, serial: int) -> None:
        """Send, now or when its turn comes."""
        heappush(self._waiting, serial)
        if self._pace is None:
            self._continue()

    def refused(self, serial: int, problem: Mapping[str, Any]) -> None:
        """Take it back, and come again after the time that the refusal names."""
        if problem.get("taken") is not False:
            self._doubtful.add(serial)
        heappush(self._waiting, serial)
        if self._pause is not None or self._probe not in {None, serial}:
            return
        self._probe = None
        wait_s = problem.get("retry_after_ms", 1_000) / 1_000 * self._chance.uniform(1.0, LATE)
        self._pause = asyncio.get_running_loop().call_later(wait_s, self._try_oldest)

    def answered(self, serial: int) -> None:
        """It is in the log: if others waited for it, they follow."""
        if serial == self._probe:
            self._probe = None
            if self._pace is None:
                self._continue()

    def stop(self) -> None:
        """Say nothing more."""
        self._waiting.clear()
        for timer in (self._pause, self._pace):
            if timer is not None:
                timer.cancel()

    def _try_oldest(self) -> None:
        self._pause = None
        if self._waiting:
            self._probe = self._waiting[0]
            self._put()

    def _continue(self) -> None:
        self._pace = None
        while self._waiting and self._pause is None and self._probe is None:
            if not self._bucket.take(1):
                wait_s = self._bucket.wait_s(1)
                self._pace = asyncio.get_running_loop().call_later(wait_s, self._continue)
                return
            self._put()

    def _put(self) -> None:
        serial = heappop(self._waiting)
        self._write(serial, serial in self._doubtful)
