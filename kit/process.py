"""The life of a service: start its roles and listeners, watch them, drain and stop them in order.

Owns the signals and the exit code. Knows roles by their protocol only, never what they do.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn, Protocol

import structlog
import uvloop
from fastapi import FastAPI

from kit.settings import ServiceSettings, SettingsRefused
from kit.telemetry import Tracing, configure_logging
from kit.web.health import Health
from kit.web.server import GRACE_S, Listener, PortTaken, listen

START_LIMIT_S: Final = 60
"""Seconds for one role to start; then the start has failed."""

DRAIN_LIMIT_S: Final = 13
"""Seconds for all drain steps together; the rest is skipped."""

STOP_LIMIT_S: Final = 3
"""Seconds for all roles together to stop; then they are cancelled."""

EXIT_LIMIT_S: Final = 20
"""Seconds from the signal to the end. A process that still lives then is ended the hard way."""


class StartFailed(Exception):
    """The service cannot start. The text says what to do."""


class RoleDied(Exception):
    """A role ended though nobody asked it to."""


class Role(Protocol):
    """A part of a service that works by itself: a consumer, a relay, a deadline sweeper."""

    async def start(self) -> None:
        """Get ready; raises if it cannot."""

    async def run(self) -> None:
        """Work until `stop`. To return or raise before that ends the process."""

    async def stop(self) -> None:
        """Finish what is begun and let `run` return."""


class Resource:
    """A role with a beginning, an end and no work of its own: a producer, a pool, a client."""

    def __init__(
        self,
        start: Callable[[], Awaitable[object]] | None = None,
        stop: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._start = start
        self._stop = stop
        self._over = asyncio.Event()

    async def start(self) -> None:
        """Open it."""
        if self._start is not None:
            await self._start()

    async def run(self) -> None:
        """Wait for the end."""
        await self._over.wait()

    async def stop(self) -> None:
        """Close it."""
        self._over.set()
        if self._stop is not None:
            await self._stop()


@dataclass(kw_only=True)
class App:
    """Everything a service consists of, built in its `app.py`.

    Roles start in the order given and stop in reverse, so what others lean on comes first.
    """

    name: str
    settings: ServiceSettings
    http: FastAPI
    admin: FastAPI
    health: Health
    roles: Sequence[Role] = ()
    drain: Sequence[Callable[[], Awaitable[object]]] = ()
    """Steps before the listeners close, in order; readiness is already off."""
    websocket: type[asyncio.Protocol] | None = None
    """The class that upgraded connections are handed to."""
    tracing: Tracing | None = None


@dataclass(frozen=True)
class Addresses:
    """Where a running service listens, as URLs without a trailing slash."""

    http: str
    admin: str


def run(build: Callable[[], App]) -> NoReturn:
    """Run a service until SIGTERM or SIGINT and exit the process.

    `build` is called inside the event loop. Exit codes: 0 stopped as asked, 1 failed, 2 settings
    refused. A second signal ends the process at once.
    """
    try:
        code = uvloop.run(_main(build))
    except SettingsRefused as refusal:
        print(f"peakdesk: {refusal}", file=sys.stderr)  # noqa: T201 - logging is not set up yet
        code = 2
    sys.exit(code)


@contextlib.asynccontextmanager
async def running(app: App) -> AsyncIterator[Addresses]:
    """Run a service inside a test, on the ports of its settings (0 takes free ones).

    Several services run side by side in one process. Raises `RoleDied` at the end if one died.
    """
    life = _Life(app)
    addresses = await life.start()
    try:
        yield addresses
    finally:
        await life.stop()
    if life.failure is not None:
        raise RoleDied(life.failure)


async def _main(build: Callable[[], App]) -> int:
    app = build()
    configure_logging(app.settings)
    log = structlog.get_logger("kit.process").bind(service=app.name)
    life = _Life(app)
    _own_signals(life)
    try:
        addresses = await life.start()
    except (StartFailed, PortTaken) as failure:
        log.error("service.not_started", reason=str(failure))  # noqa: TRY400 - the text says it all
        return 1
    log.info("service.started", http=addresses.http, admin=addresses.admin)
    await life.over.wait()
    _bound_the_exit()
    await life.stop()
    if life.failure is not None:
        log.error("service.failed", reason=life.failure)
        return 1
    log.info("service.stopped")
    return 0


def _own_signals(life: "_Life") -> None:
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if life.over.is_set():
            os._exit(130)
        life.over.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)


def _bound_the_exit() -> None:
    """End the process for certain: a thread, because a blocked event loop runs no timer."""
    backstop = threading.Timer(EXIT_LIMIT_S, os._exit, (1,))
    backstop.daemon = True
    backstop.start()


@dataclass
class _Life:
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
            proxies = [entry for entry in settings.trusted_proxies.split(",") if entry]
            public = Listener(self.app.http, websocket=self.app.websocket, trusted_proxies=proxies)
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
            async with asyncio.timeout(START_LIMIT_S):
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
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                for role in reversed(self._started):
                    await self._stop_role(role)
                if self._work:
                    await asyncio.wait(self._work)
        except TimeoutError:
            self._log.warning("roles.cut_short", limit_s=STOP_LIMIT_S)
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

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


def _url(door: socket.socket) -> str:
    host, port = door.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
