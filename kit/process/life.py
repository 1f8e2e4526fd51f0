"""One service between start and stop: in which order its parts come and go, and who watches.

Owns no signal and no exit code: whoever starts a life decides when it is over.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from kit.process.app import Addresses, App, Gate, Role
from kit.process.files import make_room
from kit.web.forwarded import TrustedProxies
from kit.web.server import GRACE_S, Listener, listen

START_LIMIT_S: Final = 60
"""Seconds for one role to start; then the start has failed. A gate may take longer."""

DRAIN_LIMIT_S: Final = 13
"""Seconds for all drain steps together; the rest is skipped."""

STOP_LIMIT_S: Final = 3
"""Seconds for all roles together to stop; then they are cancelled."""

LET_GO_LIMIT_S: Final = 1
"""What is left of the roles then has this long, all of them at once."""


class StartFailed(Exception):
    """The service cannot start. The text says what to do."""


@dataclass
class Life:
    """One service between start and stop."""

    app: App
    over: asyncio.Event = field(default_factory=asyncio.Event)
    failure: str | None = None
    _started: list[Role] = field(default_factory=list)
    _work: list[asyncio.Task[None]] = field(default_factory=list)
    _listeners: list[tuple[Listener, asyncio.Task[None]]] = field(default_factory=list)
    _stopping: bool = False

    def __post_init__(self) -> None:
        self._log = structlog.get_logger("kit.process").bind(service=self.app.name)

    @property
    def stopping(self) -> bool:
        """Whether it is being undone."""
        return self._stopping

    async def start(self) -> Addresses:
        """Open the admin door, start the roles, open the public door. Undoes itself on failure."""
        settings = self.app.settings
        try:
            inner = listen(settings.host, settings.admin_port, setting="PEAKDESK_ADMIN_PORT")
            await self._open(Listener(self.app.admin), inner)
            admin = _url(inner)
            for role in self.app.roles:
                await self._start_role(role)
            outer = listen(settings.host, settings.port, setting="PEAKDESK_PORT")
            public = Listener(
                self.app.http,
                websocket=self.app.websocket,
                proxies=TrustedProxies(settings.trusted_proxies),
                connections=make_room(sockets=0, http=self.app.connections).http,
            )
            await self._open(public, outer)
        except BaseException:
            await self.stop()
            raise
        self.app.health.start()
        return Addresses(http=_url(outer), admin=admin)

    async def stop(self) -> None:
        """Readiness off, drain, public door, roles in reverse, admin door."""
        self._stopping = True
        self.app.health.drain()
        await self._drain()
        await self._close_listeners(self._listeners[1:])
        await self._stop_roles()
        await self._close_listeners(self._listeners[:1])
        if self.app.tracing is not None:
            self.app.tracing.close()

    async def _start_role(self, role: Role) -> None:
        name = type(role).__name__
        self._started.append(role)
        try:
            async with asyncio.timeout(None if isinstance(role, Gate) else START_LIMIT_S):
                await role.start()
        except Exception as error:
            self._log.exception("role.not_started", role=name)
            raise StartFailed(f"{name} did not start ({type(error).__name__}): {error}") from error
        self._work.append(self._watched(asyncio.create_task(role.run(), name=name)))

    async def _open(self, listener: Listener, door: socket.socket) -> None:
        task = asyncio.create_task(listener.serve(sockets=[door]), name="listener")
        self._listeners.append((listener, self._watched(task)))
        opened = asyncio.create_task(listener.open.wait())
        await asyncio.wait({task, opened}, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if task.done():
            raise StartFailed("the listener ended while it started: see the lines above")

    def _watched(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._stopping:
            return
        error = None if task.cancelled() else task.exception()
        self._log.error("role.died", role=task.get_name(), exc_info=error)
        kind = "returned" if error is None else f"{type(error).__name__}: {error}"
        self.failure = self.failure or f"{task.get_name()} ended by itself ({kind})"
        self.app.health.drain()
        self.over.set()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_LIMIT_S):
                for step in self.app.drain:
                    await step()
        except Exception:  # noqa: BLE001 - whatever a step raises, the stop goes on
            self._log.exception("drain.cut_short", limit_s=DRAIN_LIMIT_S)

    async def _stop_roles(self) -> None:
        waiting = list(self._started)
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                while waiting:
                    await self._stop_role(waiting.pop())
                    # Its work ends before what it leans on: a pool that is closed under a
                    # transaction never closes that connection.
                    await _finished(self._work[len(waiting) :][:1])
        except TimeoutError:
            self._log.warning("roles.cut_short", limit_s=STOP_LIMIT_S)
            await self._let_go(waiting)
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def _let_go(self, roles: Sequence[Role]) -> None:
        """Stop what was not reached all the same, together: a pool must not stay open."""
        stops = [asyncio.create_task(self._stop_role(role)) for role in reversed(roles)]
        if stops:
            _, late = await asyncio.wait(stops, timeout=LET_GO_LIMIT_S)
            for stop in late:
                stop.cancel()

    async def _stop_role(self, role: Role) -> None:
        try:
            await role.stop()
        except Exception:  # noqa: BLE001 - whatever one role raises, the others stop too
            self._log.exception("role.stop_failed", role=type(role).__name__)

    async def _close_listeners(
        self, listeners: Sequence[tuple[Listener, asyncio.Task[None]]]
    ) -> None:
        for listener, task in listeners:
            listener.close()
            await asyncio.wait({task}, timeout=GRACE_S + 1)


async def _finished(work: Sequence[asyncio.Task[None]]) -> None:
    """Wait for a role's work, if its start came so far."""
    if work:
        await asyncio.wait(work)


def _url(door: socket.socket) -> str:
    host, port = door.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
