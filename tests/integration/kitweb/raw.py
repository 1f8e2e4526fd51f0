"""A listening application and raw connections to it: what is written is sent as it is."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, cast

from fastapi import APIRouter
from starlette.responses import Response
from typing_extensions import override

from kit.clock import SystemClock
from kit.web.app import Body, create_app
from kit.web.auth import Caller, KeyPair, TokenIssuer, TokenVerifier, generate_keypair
from kit.web.capacity import Bodies
from kit.web.edge import SECURITY_HEADERS
from kit.web.problems import MEDIA_TYPE
from kit.web.raw import RawBodies
from kit.web.server import Listener, listen

TIMEOUT_S = 10

router = APIRouter()
KEYS: KeyPair = generate_keypair()


class Said(Body):
    text: str


@router.post("/say")
async def say(body: Said) -> dict[str, str]:
    return {"text": body.text}


@router.get("/me")
async def me(caller: Caller) -> dict[str, str]:
    return {"text": caller.subject}


@router.get("/large")
async def large() -> Response:
    return Response(b"x" * 64 * 1024 * 1024)


@router.get("/for-ever")
async def for_ever() -> None:
    await asyncio.Event().wait()


class Connection:
    """A raw connection: what is written is sent as it is."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.fields: dict[bytes, bytes] = {}
        """Headers of the last answer."""
        self.rest = b""
        """What came between the last answer and the close."""

    async def send(self, data: bytes) -> None:
        # uvloop raises RuntimeError on a connection that the other side has closed.
        with contextlib.suppress(ConnectionError, RuntimeError):
            self.writer.write(data)
            await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, object]]:
        """Return the status and JSON body of the next answer."""
        async with asyncio.timeout(TIMEOUT_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            lines = [line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line]
            self.fields = dict(lines)
            body = await self._reader.readexactly(int(self.fields[b"content-length"]))
        return int(head.split()[1]), json.loads(body)

    async def refusal(self) -> tuple[int, object]:
        """Return status and code of a problem document with all our headers, then the close."""
        status, shown = await self.answer()
        assert self.fields[b"content-type"] == MEDIA_TYPE.encode()
        assert {name.encode() for name in SECURITY_HEADERS} <= self.fields.keys()
        assert self.fields[b"connection"] == b"close"
        assert shown["status"] == status
        await self.closed()
        return status, shown["code"]

    async def read_until(self, end: bytes) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            return await self._reader.readuntil(end)

    async def closed(self) -> None:
        """Wait until the other side has closed."""
        async with asyncio.timeout(TIMEOUT_S):
            with contextlib.suppress(ConnectionError):
                while more := await self._reader.read(65_536):
                    self.rest += more


class Server:
    """A listening application on a free port."""

    def __init__(self, listener: Listener, port: int) -> None:
        self.port = port
        self.listener = listener
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> Connection:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        return Connection(reader, writer)

    async def busy(self) -> None:
        """Wait until a request is being served."""
        async with asyncio.timeout(TIMEOUT_S):
            while not self.listener.server_state.tasks:  # noqa: ASYNC110 - uvicorn's set
                await asyncio.sleep(0.01)

    async def alone(self) -> None:
        """Wait until the server has given up every connection that it had."""
        connections = self.listener.server_state.connections
        async with asyncio.timeout(TIMEOUT_S):
            while not connections:  # noqa: ASYNC110 - uvicorn's set tells nobody
                await asyncio.sleep(0.01)
            while connections:  # noqa: ASYNC110 - uvicorn's set tells nobody
                await asyncio.sleep(0.01)

    async def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def listening(
    bodies: Bodies | None = None, raw: RawBodies | None = None, **how: Any
) -> AsyncIterator[Server]:
    door = listen("127.0.0.1", 0, setting="PEAKDESK_PORT")
    clock = SystemClock()
    app = create_app(
        title="t",
        version="1",
        routers=[router],
        clock=clock,
        verifier=TokenVerifier(KEYS.public, clock),
        bodies=bodies,
        raw=raw,
    )
    listener = Listener(app, **how)
    work = asyncio.create_task(listener.serve(sockets=[door]))
    await asyncio.wait_for(listener.open.wait(), TIMEOUT_S)
    served = Server(listener, door.getsockname()[1])
    try:
        yield served
    finally:
        await served.hang_up()
        listener.close()
        await asyncio.wait_for(work, TIMEOUT_S)


class Echo(asyncio.Protocol):
    """An upgraded connection: says how it was called, then repeats what it hears."""

    def __init__(self, config: object, server_state: object, app_state: object) -> None:
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    @override
    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)


def request(body: bytes, *headers: bytes, target: bytes = b"POST /say HTTP/1.1") -> bytes:
    fixed = (target, b"host: desk", b"content-type: application/json")
    return b"\r\n".join((*fixed, *headers, b"", body))


def sized(body: bytes, *headers: bytes) -> bytes:
    return request(body, b"content-length: %d" % len(body), *headers)


def token() -> str:
    issuer = TokenIssuer(KEYS.private, SystemClock())
    return issuer.issue(subject="a", role="agent", shop_id="s", name="")
