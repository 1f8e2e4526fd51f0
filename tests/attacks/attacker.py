"""Who attacks: somebody outside with an address of his own, who follows no rule.

Speaks HTTP, WebSocket and plain bytes to the public door. Must not know what is right; tests say.
"""

import asyncio
import os
import random
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx2
from typing_extensions import override

from kit.web.problems import MEDIA_TYPE
from tests.integration.gateway.phone import Phone
from tests.waiting import PATIENCE_S
from tests.web import NO_TLS

UPGRADE: Final = (
    ("Host", "localhost"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Protocol", "peakdesk.v1"),
)
"""The headers of a right upgrade, in the order in which they are sent."""

CLOSE: Final = 8
"""Opcode of a close frame."""

_INSIDE: Final = (
    b"Traceback",
    b'File "',
    b".py",
    b"sqlalchemy",
    b"asyncpg",
    b"pydantic",
    b"msgspec",
    b"picows",
    b"uvicorn",
    b"object at 0x",
    b"services.",
)
"""What no answer may show of the inside."""


def fresh_address() -> str:
    """Return a loopback address that nobody else comes from, where the system has more than one.

    Limits count by address: what an attacker uses up must be nobody else's.
    """
    random_part = random.SystemRandom()
    address = ".".join(str(random_part.randint(1, 250)) for _ in range(3))
    with socket.socket() as probe:
        try:
            probe.bind((f"127.{address}", 0))
        except OSError:
            return "127.0.0.1"
    return f"127.{address}"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer read off the wire. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire(asyncio.Protocol):
    """A TCP connection: bytes out, bytes in. What came before a reset is kept."""

    def __init__(self) -> None:
        self._came = bytearray()
        self._changed = asyncio.Event()
        self._writable = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self.over = False
        """The other side has closed, or cut, the connection."""

    @classmethod
    async def open(cls, url: str, address: str, *, receive_buffer: int | None = None) -> Self:
        """Connect from an address of ours; `receive_buffer` bytes are kept for us unread."""
        parts, loop = urlsplit(url), asyncio.get_running_loop()
        plug = socket.socket()
        try:
            plug.settimeout(0)
            if receive_buffer is not None:
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            plug.bind((address, 0))
            await loop.sock_connect(plug, (str(parts.hostname), int(parts.port or 80)))
        except BaseException:
            plug.close()
            raise
        _, wire = await loop.create_connection(cls, sock=plug)
        return wire

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._writable.set()

    @override
    def data_received(self, data: bytes) -> None:
        self._came += data
        self._changed.set()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.over = True
        self._changed.set()
        self._writable.set()

    @override
    def pause_writing(self) -> None:
        self._writable.clear()

    @override
    def resume_writing(self) -> None:
        self._writable.set()

    async def send(self, data: bytes) -> None:
        """Send what the kernel takes; on a connection that is over, nothing."""
        assert self._transport is not None
        if not self.over:
            self._transport.write(data)
        await self._writable.wait()
        await asyncio.sleep(0)

    async def rest(self, within: float = PATIENCE_S) -> bytes:
        """Return everything up to the other side's close. Raises `TimeoutError`."""
        async with asyncio.timeout(within):
            while not self.over:
                await self._more()
        return self._take(len(self._came))

    async def answer(self, within: float = PATIENCE_S) -> Answer:
        """Return the next HTTP answer. Raises `TimeoutError`, or `EOFError` if there is none."""
        async with asyncio.timeout(within):
            while b"\r\n\r\n" not in self._came:
                await self._more()
            top = self._take(self._came.index(b"\r\n\r\n") + 4)
            first, *lines = top.decode("latin-1").strip().split("\r\n")
            pairs = (line.partition(":") for line in lines)
            headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
            body = await self._exactly(int(headers.get("content-length", "0")))
        return Answer(int(first.split(" ")[1]), headers, body)

    async def frame(self, within: float = PATIENCE_S) -> tuple[int, bytes]:
        """Return opcode and payload of the next WebSocket frame. Raises as `answer` does."""
        async with asyncio.timeout(within):
            first, size = await self._exactly(2)
            if size >= 126:
                size = int.from_bytes(await self._exactly(2 if size == 126 else 8))
            return first & 0x0F, await self._exactly(size)

    async def close_code(self, within: float = PATIENCE_S) -> int:
        """Return the code of the close frame that comes next; other frames are passed over."""
        while True:
            opcode, payload = await self.frame(within)
            if opcode == CLOSE:
                return int.from_bytes(payload[:2])

    def stop_reading(self) -> None:
        """Leave what comes in the kernel's hands, as a stalled client does."""
        assert self._transport is not None
        self._transport.pause_reading()

    def read_on(self) -> None:
        """Take what comes again."""
        assert self._transport is not None
        self._transport.resume_reading()

    def cut(self) -> None:
        """End the connection without a goodbye."""
        if self._transport is not None:
            self._transport.abort()

    async def _more(self) -> None:
        if self.over:
            raise EOFError(bytes(self._came))
        self._changed.clear()
        await self._changed.wait()

    async def _exactly(self, size: int) -> bytes:
        while len(self._came) < size:
            await self._more()
        return self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._came[:size])
        del self._came[:size]
        return taken


@dataclass
class Attacker:
    """One attacker. `close` ends everything that he opened."""

    url: str
    address: str = field(default_factory=fresh_address)
    _http: httpx2.AsyncClient = field(init=False)
    _wires: list[Wire] = field(default_factory=list)
    _phones: list[Phone] = field(default_factory=list)

    def __post_init__(self) -> None:
        transport = httpx2.AsyncHTTPTransport(
            local_address=self.address,
            limits=httpx2.Limits(max_connections=100),
            verify=NO_TLS,
        )
        self._http = httpx2.AsyncClient(
            base_url=self.url, transport=transport, timeout=30, trust_env=False
        )

    async def close(self) -> None:
        """End every connection."""
        for wire in self._wires:
            wire.cut()
        for phone in self._phones:
            await phone.close()
        await self._http.aclose()
        await asyncio.sleep(0)  # transports close in the loop's next turn

    async def ask(
        self, method: str, path: str, *, token: str | None = None, **request: Any
    ) -> httpx2.Response:
        """Send one request, as it is told; POSTs get a fresh idempotency key unless one is told."""
        headers: dict[str, str] = dict(request.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if method == "POST" and not any(name.lower() == "idempotency-key" for name in headers):
            headers["Idempotency-Key"] = f"attack-{os.urandom(8).hex()}"
        return await self._http.request(method, path, headers=headers, **request)

    async def wire(self, *, receive_buffer: int | None = None) -> Wire:
        """Open a TCP connection to the public door."""
        made = await Wire.open(self.url, self.address, receive_buffer=receive_buffer)
        self._wires.append(made)
        return made

    async def exchange(self, request: bytes, within: float = PATIENCE_S) -> Answer:
        """Send bytes on a connection of their own and return the first answer."""
        wire = await self.wire()
        await wire.send(request)
        try:
            return await wire.answer(within)
        finally:
            wire.cut()

    async def dial(
        self, *, token: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Phone:
        """Open a socket that has not said hello."""
        phone = await Phone.dial(
            self.url, token=token, headers=headers, local_addr=(self.address, 0)
        )
        self._phones.append(phone)
        return phone

    async def phone(self, token: str, **hello: Any) -> Phone:
        """Open a socket and say hello."""
        phone = await self.dial()
        phone.say(t="hello", v=1, token=token, **hello)
        await phone.of("ready", within=PATIENCE_S)
        return phone


def head(
    start: str, headers: Iterable[tuple[str, str]] = (("Host", "localhost"),), body: bytes = b""
) -> bytes:
    """Return a request as bytes, with exactly these headers in this order."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{start}\r\n{lines}\r\n".encode("utf-8", "surrogateescape") + body


def frame(payload: bytes, *, opcode: int = 1, fin: bool = True, first: int = 0) -> bytes:
    """Return a masked WebSocket frame; `first` are further bits of its first byte."""
    mask = b"\x01\x02\x03\x04"
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65_536:
        length = bytes([0x80 | 126]) + struct.pack(">H", size)
    else:
        length = bytes([0x80 | 127]) + struct.pack(">Q", size)
    repeated = (mask * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(size)
    return bytes([(0x80 if fin else 0) | opcode | first]) + length + mask + masked


def shows_nothing(body: bytes) -> None:
    """Assert that an answer shows nothing of the inside."""
    found = [word for word in _INSIDE if word in body]
    assert not found, body[:500]


def is_problem(
    answer: httpx2.Response | Answer, status: int | Iterable[int], code: str | None = None
) -> None:
    """Assert that a refusal is a problem document of this status, without internals."""
    body = answer.content if isinstance(answer, httpx2.Response) else answer.body
    found = answer.status_code if isinstance(answer, httpx2.Response) else answer.status
    wanted = {status} if isinstance(status, int) else set(status)
    assert found in wanted, (found, body[:500])
    if isinstance(answer, httpx2.Response) and answer.request.method == "HEAD":
        return
    assert answer.headers["content-type"] == MEDIA_TYPE, body[:500]
    shown = httpx2.Response(found, content=body).json()
    assert {"type", "title", "status", "detail", "code", "trace_id"} <= set(shown)
    assert code is None or shown["code"] == code, shown
    assert shown["status"] == found
    shows_nothing(body)
