"""When this monitor is a member of the fold's group: while its book is the newest begun (H32).

Knows loops and books; must not know what is folded.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from kit.bus.loops import BatchLoop
from kit.clock import Clock
from kit.errors import Unavailable
from kit.postgres import Database
from services.monitor.fold import spans

log = structlog.get_logger()

LOOK_S: Final = 2.0
"""Pause between two looks at which book is the newest; it also tells that this one is alive."""

STOP_S: Final = 12.0
"""Longest wait for the end: a loop takes ten seconds at most, and one that never ran has none."""


class Membership:
    """A role: lives through one loop after the other, and through none while another book rules.

    During a rolling deploy two releases run at once. Only the newest folds: states of one partition
    are never judged by two books in turn.
    """

    def __init__(
        self,
        database: Database,
        fingerprint: str,
        *,
        make_loop: Callable[[], BatchLoop],
        left: Callable[[], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._db = database
        self._fingerprint = fingerprint
        self._make_loop = make_loop
        self._left = left
        self._clock = clock
        self._sight = spans.Sight()
        self._loop: BatchLoop | None = None
        self._newest: bool | None = None
        """Whether this book rules; None until the store has told."""
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()

    async def start(self) -> None:
        """Nothing to do: `run` joins."""

    async def run(self) -> None:
        """Fold while this book is the newest, until `stop`. Raises `Hung` as the loop does."""
        try:
            while not self._stopping.is_set():
                if await self._is_newest():
                    await self._fold()
                else:
                    await self._pause()
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """Leave the group and let `run` return."""
        self._stopping.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._ended.wait()

    @property
    def folds(self) -> bool:
        """Whether this monitor is a member now: its book rules."""
        return self._loop is not None

    async def ping(self) -> None:
        """Return if this monitor folds and is well; for readiness. Raises `Unavailable`."""
        if self._newest is False:
            raise Unavailable("the fold: another book of profiles is newer, this one stands aside")
        if self._loop is None:
            raise Unavailable("the fold: this monitor has not joined its group yet")
        await self._loop.ping()

    async def _fold(self) -> None:
        self._loop = loop = self._make_loop()
        running = asyncio.create_task(loop.run())
        try:
            while not (self._stopping.is_set() or running.done()):
                await self._pause(running)
                if not await self._is_newest():
                    break
        finally:
            self._loop = None
            await loop.stop()
            await self._left()
            await running

    async def _is_newest(self) -> bool:
        """Ask the store; while it is away, what was true last stays true."""
        before = self._newest
        try:
            async with self._db.write_across("the newest book") as session:
                self._newest = await spans.is_newest(
                    session,
                    self._fingerprint,
                    sight=self._sight,
                    at_s=self._clock.monotonic(),
                    starts=before is None,
                )
        except Unavailable as away:
            self._sight.lost()
            log.warning("fold.book_unknown", reason=away.slug)
        if self._newest is False and before is not False:
            log.warning("fold.stands_aside", book=self._fingerprint)
        return self._newest is True

    async def _pause(self, running: "asyncio.Task[None] | None" = None) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        over = {stopping} if running is None else {stopping, running}
        try:
            await asyncio.wait(over, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
