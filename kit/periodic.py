"""Work that is done again and again: a role for deadlines and housekeeping.

Knows when, never what.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from kit.clock import Clock
from kit.errors import Unavailable

log = structlog.get_logger()


CALM_AFTER: Final = 10
"""So many calls in a row that found nothing to do make a calm."""


class Periodic:
    """A role: calls `work` at once and then `every_s` seconds after the last call ended.

    In a calm, that is after ten calls whose results were false, `calm_s` seconds after it.
    While something it leans on is away it tries again at the same pace, and says so once. Any other
    exception ends the process: it is a bug.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[object]],
        *,
        every_s: float,
        clock: Clock,
        calm_s: float | None = None,
    ) -> None:
        self._name = name
        self._work = work
        self._every_s = every_s
        self._calm_s = every_s if calm_s is None else calm_s
        self._idle = 0
        self._clock = clock
        self._over = asyncio.Event()

    async def start(self) -> None:
        """Nothing to get ready."""

    async def run(self) -> None:
        """Work until `stop`."""
        away = False
        while not self._over.is_set():
            try:
                self._idle = 0 if await self._work() else self._idle + 1
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
        seconds = self._calm_s if self._idle >= CALM_AFTER else self._every_s
        waits = {
            asyncio.create_task(self._clock.sleep(seconds)),
            asyncio.create_task(self._over.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
