"""Keeps a client's frames within the rate that the server named in `ready`.

After an outage everything unanswered goes out again at once; a client that ignored the rate would
be cut off (4003) just then. Knows frames by their id alone.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from kit.clock import Clock
from kit.web.limits import TokenBucket

SHARE: Final = 0.8
"""Of the server's rate and burst: its bucket and ours do not tick together."""

Frame = dict[str, Any]


class Pace:
    """Writes what the rate allows at once, the rest in order as it becomes allowed.

    A frame whose id waits already is not queued twice, so what waits is bounded by what a client
    has open. Closed until `open` is called; `close` forgets what waits.
    """

    def __init__(self, write: Callable[[Frame], None], clock: Clock) -> None:
        self._write, self._clock = write, clock
        self._bucket: TokenBucket | None = None
        self._unit = (math.inf, math.inf)
        self._waiting: deque[Frame] = deque()
        self._later: asyncio.Task[None] | None = None

    def open(self, limits: Mapping[str, Any], frames_left: int | None = None) -> None:
        """Begin a connection on which these limits hold; what waits goes out first.

        `frames_left` of the burst are there at once; a client that counted on the whole burst after
        each reconnection would be cut off again and again, and get few messages through.
        """
        rate, burst = float(limits["frames_per_s"]), float(limits["burst"])
        level = None if frames_left is None else frames_left * SHARE
        self._bucket = TokenBucket(rate * SHARE, max(1.0, burst * SHARE), self._clock, level=level)
        chars, octets = limits.get("chars_per_frame"), limits.get("bytes_per_frame")
        self._unit = (chars or math.inf, octets or math.inf)
        self._go_on()

    def close(self) -> None:
        """The connection is gone: whoever wrote what waits will write it again."""
        self._bucket = None
        self._waiting.clear()
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def put(self, frame: Frame) -> None:
        """Write a frame now or as soon as it is its turn."""
        frame_id = frame.get("id")
        if frame_id is None or all(waits.get("id") != frame_id for waits in self._waiting):
            self._waiting.append(frame)
        if self._later is None:
            self._go_on()

    def _go_on(self) -> None:
        """Write what the rate allows; come back for the rest."""
        bucket = self._bucket
        while bucket is not None and self._waiting:
            weight = self._weight(self._waiting[0])
            if not bucket.take(weight):
                self._later = asyncio.create_task(self._wait(bucket.wait_s(weight)))
                return
            self._write(self._waiting.popleft())

    def _weight(self, frame: Frame) -> int:
        """Return what the server counts the frame as, or more: it counts words alone."""
        encoded = msgspec.json.encode(frame)
        per_chars, per_bytes = self._unit
        by_chars = math.ceil(len(encoded.decode()) / per_chars)
        return max(1, by_chars, math.ceil(len(encoded) / per_bytes))

    async def _wait(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._later = None
        self._go_on()
