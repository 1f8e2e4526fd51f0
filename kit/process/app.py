"""What a service consists of: its applications, its roles, its drain.

A description without behaviour.
Knows roles by their protocol only, never what they do.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from fastapi import FastAPI
from typing_extensions import override

from kit.settings import ServiceSettings
from kit.telemetry import Tracing
from kit.web.capacity import CONNECTIONS
from kit.web.health import Health

log = structlog.get_logger(__name__)

GATE_SAYS_S: Final = 15.0
"""Seconds between two lines of a gate that waits."""


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


class Gate(Resource):
    """A role that opens once something has happened; the roles behind it start only then.

    It waits for as long as that takes: a broker that is away at the start is no reason to end. A
    loop reads as soon as its own start is over, so a gate behind it may wait for what it read.
    """

    def __init__(self, name: str, happened: asyncio.Event) -> None:
        super().__init__()
        self.name = name
        self._happened = happened

    @override
    async def start(self) -> None:
        """Wait, and say now and then for what."""
        while not self._happened.is_set():
            try:
                async with asyncio.timeout(GATE_SAYS_S):
                    await self._happened.wait()
            except TimeoutError:
                log.warning("gate.waits", gate=self.name)


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
    connections: int = CONNECTIONS
    """HTTP connections at the public door at once, if the file limit allows so many."""
    tracing: Tracing | None = None


@dataclass(frozen=True)
class Addresses:
    """Where a running service listens, as URLs without a trailing slash."""

    http: str
    admin: str
