"""Time limits of all sockets, looked after in one pass: no timer and no task per socket.

Knows sockets and their clocks; must not know frames.
"""

import asyncio
from typing import Final

from contracts.frames import CloseCode
from kit.clock import Clock
from services.gateway.hub import Hub, SocketSession
from services.gateway.sockets.port import Limits, Peer
from services.gateway.sockets.registry import ConnectionRegistry

EVERY_S: Final = 1.0
"""Pause between passes: how late a limit may be noticed."""

GOODBYE_S: Final = 5.0
"""Wait for the peer's answer to our goodbye; then the connection is cut."""

CHUNK: Final = 2_000
"""Sockets looked at before others get a turn: 50,000 would hold the loop for 25 ms."""


class Reaper:
    """One pass over all sockets; a periodic role calls it."""

    def __init__(
        self, hub: Hub, registry: ConnectionRegistry, *, limits: Limits, clock: Clock
    ) -> None:
        self._hub = hub
        self._registry = registry
        self._clock = clock
        self._limits = limits

    async def once(self) -> None:
        """One pass."""
        now, wall = self._clock.monotonic(), self._clock.now().timestamp()
        self._close_unauthenticated(now)
        for number, socket in enumerate(self._hub.sockets()):
            self._check(socket, now, wall=wall)
            if number % CHUNK == CHUNK - 1:
                await asyncio.sleep(0)
        self._leaving(now)

    def _close_unauthenticated(self, now: float) -> None:
        for connection in list(self._registry.unauthenticated):
            if connection.closed_at is None and now - connection.opened_at > self._limits.hello_s:
                # Slow is not refused: a busy phone or a lossy line must come back.
                connection.close(CloseCode.HEARTBEAT_LOST, "no hello in time")

    def _check(self, socket: SocketSession, now: float, *, wall: float) -> None:
        if socket.closing:
            return
        if socket.full_since is not None and now - socket.full_since > self._limits.slow_reader_s:
            socket.close(CloseCode.SLOW_READER, now)
        elif now - socket.heard_at > self._limits.silence_s:
            socket.close(CloseCode.HEARTBEAT_LOST, now)
        elif wall >= socket.person.expires_at:
            socket.close(CloseCode.TOKEN_EXPIRED, now)

    def _leaving(self, now: float) -> None:
        """Cut who does not answer a goodbye."""
        late: list[Peer] = [
            connection
            for connection in self._registry.leaving
            if connection.closed_at is not None and now - connection.closed_at > GOODBYE_S
        ]
        for connection in late:
            connection.abort()
