"""The HTTP listener: uvicorn around our own connections, without its signals and its proxies.

Knows sockets and applications, never routes; what one connection may do is in `wire`.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from kit.web.capacity import CONNECTIONS, UNAUTHENTICATED, Bodies, ConnectionLimits
from kit.web.forwarded import TrustedProxies
from kit.web.raw import RawBodies
from kit.web.wire import HttpProtocol, ServerState

KEEP_ALIVE_S: Final = 20
"""Seconds an idle connection is kept; longer than clients keep theirs, so that they close first."""

GRACE_S: Final = 2
"""Seconds that requests in progress have to finish once the listener closes."""

BACKLOG: Final = 2_048

TICK_S: Final = 1.0
"""The date in answers is made anew so often; uvicorn looks ten times a second whether to end."""


class PortTaken(OSError):
    """Something else listens on the port. The text says what to do."""


def listen(host: str, port: int, *, setting: str) -> socket.socket:
    """Return a listening socket. Raises `PortTaken`, naming the setting that chooses the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise PortTaken(
            f"cannot listen on {host} port {port} ({error.strerror}): "
            f"stop what listens there or change {setting}"
        ) from None


class Listener(uvicorn.Server):
    """One listening application. It leaves signals alone: the process owns them."""

    def __init__(
        self,
        app: FastAPI,
        *,
        websocket: type[asyncio.Protocol] | None = None,
        proxies: TrustedProxies | None = None,
        connections: int = CONNECTIONS,
        unauthenticated: int = UNAUTHENTICATED,
    ) -> None:
        """Take the application, and the class that upgraded connections are handed to, if any."""
        self.shared = ServerState(
            proxies or TrustedProxies(),
            ConnectionLimits(connections, unauthenticated),
            _bodies_of(app),
            _raw_of(app),
        )
        protocol: Any = partial(HttpProtocol, shared=self.shared)  # uvicorn only calls it
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws=websocket or "none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # `forwarded` reads them, for sockets too
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
                backlog=BACKLOG,
            )
        )
        self.open = asyncio.Event()
        self._closing = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.open.set()

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @override
    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._closing.wait()

    def close(self) -> None:
        """Take no more connections and let `serve` return within `GRACE_S`."""
        self.should_exit = True
        self._closing.set()


def _bodies_of(app: FastAPI) -> Bodies:
    """Return the count of bodies that an application and its connections share."""
    bodies = app.state.bodies
    if not isinstance(bodies, Bodies):
        raise TypeError("the application was not built by kit.web.app.create_app")
    return bodies


def _raw_of(app: FastAPI) -> RawBodies | None:
    """Return which bodies of an application are no JSON."""
    raw = app.state.raw
    return raw if isinstance(raw, RawBodies) else None
