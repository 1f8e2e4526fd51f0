"""Joins under way: each answers its subscription's ids once, whatever becomes of it (H40).

Knows refusals and tasks; must not know what a kind of stream asks whom.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from contracts.frames import CloseCode
from kit.clock import Clock
from kit.errors import AppError, NotFound, Unavailable
from kit.metrics import Metrics
from services.gateway.frames import server
from services.gateway.frames.refusals import Forbid, Resynced, Retry, Unsubscribed
from services.gateway.history import GapTooLarge
from services.gateway.hub import Abandoned, Hub, NeedsSnapshot, SocketSession, Subscription
from services.gateway.limits import FORBIDDEN

log: Final = structlog.get_logger("gateway.streams")

Work = Coroutine[Any, Any, None]

Failed = Callable[[Exception], None]
"""Told what ended a join whose client still waits; ids that are still owed are answered after it.
"""


class Joins:
    """Runs joins, each in a task of its own, and refuses for all kinds of streams."""

    def __init__(self, hub: Hub, *, clock: Clock, metrics: Metrics) -> None:
        self._hub = hub
        self._clock = clock
        self._metrics = metrics
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Work) -> None:
        """Let something that answers by itself go on in the background."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def run(self, subscription: Subscription, work: Work, *, failed: Failed) -> None:
        """Do the work of a join; `failed` undoes what must not stand after a failure."""
        try:
            await work
        except Abandoned:
            self._hub.detach(subscription)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
            if subscription.awaited:
                failed(error)
                self.refuse_owed(subscription, refusal_of(error))
            else:
                self._hub.detach(subscription)

    async def stop(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def end(self, subscription: Subscription) -> None:
        """The client leaves the stream: a join under way is answered, and is over."""
        self._hub.detach(subscription)
        self.refuse_owed(subscription, Unsubscribed())

    # ---- refusals

    def refuse(self, socket: SocketSession, frame_id: str | None, refusal: AppError) -> None:
        """Answer one id; too many foreign streams close the socket."""
        self._metrics.frames_refused.labels(refusal.slug).inc()
        socket.answer(server.err(frame_id, refusal))
        if isinstance(refusal, Forbid):
            socket.forbidden += 1
            if socket.forbidden >= FORBIDDEN:
                socket.close(CloseCode.REVOKED, self._clock.monotonic())

    def refuse_owed(self, subscription: Subscription, refusal: AppError) -> None:
        """Answer every id that waits for this subscription's join."""
        for frame_id in subscription.take_owed():
            self.refuse(subscription.socket, frame_id, refusal)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("streams.failed", exc_info=task.exception())


def refusal_of(error: Exception) -> AppError:
    """Return what the client of a failed join is told; what nobody foresaw is logged."""
    match error:
        case NeedsSnapshot():
            return Resynced()
        case NotFound():
            return Forbid()
        case Unavailable() | GapTooLarge() | TimeoutError():
            return Retry("Subscribe again in a moment.")
        case AppError():
            return error
        case _:
            log.error("join.failed", exc_info=error)
            return AppError()
