"""Work that is done again and again: a role for deadlines and housekeeping.

Knows when, never what.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from kit.clock import Clock
from kit.errors import Unavailable

log = structlog.get_logger()


class Periodic:
    """A role: calls `work` at once and then `every_s` seconds after the last call ended.

    While something it leans on is away it tries again at the same pace, and says so once. Any other
    exception ends the process: it is a bug.
    """

    def __init__(
        self, name: str, work: Callable[[], Awaitable[object]], *, every_s: float, clock: Clock
    ) -> None:
        self._name = name
        self._work = work
        self._every_s = every_s
        self._clock = clock
        self._over = asyncio.Event()

    async def start(self) -> None:
        """Nothing to get ready."""

    async def run(self) -> None:
        """Work until `stop`."""
        away = False
        while not self._over.is_set():
            try:
                await self._work()
            except Unavailable as error:
                if not away:
                    log.warning("periodic.away", work=self._name, reason=error.slug)
                away = True
            else:
                if away:
                    log.info("periodic.back", work=self._name)
                away = False
            await self._pause()

    async def stop(self) -> None:
        """Let the call under way end, and then `run`."""
        self._over.set()

    async def _pause(self) -> None:
        waits = {
            asyncio.create_task(self._clock.sleep(self._every_s)),
            asyncio.create_task(self._over.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
