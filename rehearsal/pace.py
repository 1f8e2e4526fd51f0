"""Keeps a client's frames within the rate that the server named in `ready`.

After an outage everything unanswered goes out again at once; a client that ignored the rate would
be cut off (4003) just then. Knows frames by their id alone.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

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
        self._waiting: deque[Frame] = deque()
        self._later: asyncio.Task[None] | None = None

    def open(self, limits: Mapping[str, Any]) -> None:
        """Begin a connection on which these limits hold; what waits goes out first."""
        rate, burst = float(limits["frames_per_s"]), float(limits["burst"])
        self._bucket = TokenBucket(rate * SHARE, max(1.0, burst * SHARE), self._clock)
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
            if not bucket.take():
                self._later = asyncio.create_task(self._wait(bucket.wait_s()))
                return
            self._write(self._waiting.popleft())

    async def _wait(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._later = None
        self._go_on()
