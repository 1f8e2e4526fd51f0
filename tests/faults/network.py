"""The network between clients and gateways: shares connections out, can cut or slow them all.

Knows bytes only. Stands in for the load balancer and the mobile network of a real deployment.
"""

import asyncio
import socket
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Final, Self

HOST: Final = "127.0.0.1"
CHUNK: Final = 65_536
CLOSE_S: Final = 5.0
TURNS: Final = 20
"""Turns of the loop in which what the system has accepted becomes a line."""

NARROW: Final = 4_096
"""Bytes that a slow line holds on its way: little, so that the gateway soon feels it."""


class Network:
    """Listens on `url` and passes each connection to the next gateway that takes it.

    `doors` are the gateways' ports; the list may be changed while connections stand.
    """

    def __init__(self, *doors: int) -> None:
        self.doors = list(doors)
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._lines: set[asyncio.Task[None]] = set()
        self._turn = count()
        self._slow = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, HOST, 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        self.cut()
        if self._lines:
            await asyncio.wait(self._lines, timeout=CLOSE_S)

    @property
    def url(self) -> str:
        """Where clients connect."""
        if self._server is None:
            raise RuntimeError("enter the network first")
        return f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Drop every connection at once, without a goodbye."""
        for end in list(self._ends):
            end.transport.abort()

    def slow_down(self) -> None:
        """From now on every client gets one byte a second."""
        self._slow = True

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.create_task(self._pass_on(reader, writer))
        self._lines.add(line)
        line.add_done_callback(self._lines.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = {writer}
        self._ends |= ends
        try:
            door = await self._open(self._turned())
            if door is None:
                writer.transport.abort()
                return
            inner, outer = door
            ends.add(outer)
            self._ends |= ends
            await asyncio.gather(self._pump(reader, outer), self._pump(inner, writer, down=True))
        finally:
            self._ends -= ends
            await self._gone(ends)

    async def _gone(self, ends: Collection[asyncio.StreamWriter]) -> None:
        """Close what is left of a line, and wait until it is closed."""
        for end in ends:
            end.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await asyncio.gather(*(end.wait_closed() for end in ends), return_exceptions=True)
        for end in ends:
            end.transport.abort()

    def _turned(self) -> Sequence[int]:
        """Return the doors, beginning with the one whose turn it is."""
        first = next(self._turn) % max(1, len(self.doors))
        return self.doors[first:] + self.doors[:first]

    async def _open(
        self, doors: Sequence[int]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        loop = asyncio.get_running_loop()
        for door in doors:
            line = socket.socket()
            line.setblocking(False)  # noqa: FBT003 - the socket module's own signature
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW if self._slow else CHUNK)
            try:
                await loop.sock_connect(line, (HOST, door))
            except OSError:
                line.close()
            else:
                return await asyncio.open_connection(sock=line, limit=NARROW)
        return None

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool = False
    ) -> None:
        """Move bytes one way until either end is gone; then the other end goes too."""
        with suppress(OSError):
            while data := await reader.read(1 if down and self._slow else CHUNK):
                writer.write(data)
                await writer.drain()
                if down and self._slow:
                    await asyncio.sleep(1)
        writer.close()
