"""The listener on a real socket: what arrives late, too large or malformed.

Attack table, rows 20, 29, 54, 55.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import cast

import pytest
from fastapi import APIRouter
from starlette.responses import Response
from typing_extensions import override

from kit.clock import SystemClock
from kit.web import server as subject
from kit.web.app import Body, create_app
from kit.web.server import HEAD_LIMIT, Listener, PortTaken, listen

pytestmark = pytest.mark.integration

TIMEOUT_S = 10

router = APIRouter()


class Said(Body):
    text: str


@router.post("/say")
async def say(body: Said) -> dict[str, str]:
    return {"text": body.text}


@router.get("/large")
async def large() -> Response:
    return Response(b"x" * 64 * 1024 * 1024)


class Connection:
    """A raw connection: what is written is sent as it is."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        # uvloop raises RuntimeError on a connection that the other side has closed.
        with contextlib.suppress(ConnectionError, RuntimeError):
            self.writer.write(data)
            await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, object]]:
        """Return the status and JSON body of the next answer."""
        async with asyncio.timeout(TIMEOUT_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
            body = await self._reader.readexactly(int(fields[b"content-length"]))
        return int(head.split()[1]), json.loads(body)

    async def read_until(self, end: bytes) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            return await self._reader.readuntil(end)

    async def closed(self) -> None:
        """Wait until the other side has closed."""
        async with asyncio.timeout(TIMEOUT_S):
            with contextlib.suppress(ConnectionError):
                while await self._reader.read(65_536):
                    pass


class Server:
    """A listening application on a free port."""

    def __init__(self, listener: Listener, port: int) -> None:
        self.port = port
        self._listener = listener
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> Connection:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        return Connection(reader, writer)

    async def alone(self) -> None:
        """Wait until the server has given up every connection that it had."""
        connections = self._listener.server_state.connections
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


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(subject, "ARRIVAL_LIMIT_S", 0.3)
    monkeypatch.setattr(subject, "UNREAD_LIMIT_S", 0.3)
    async with listening() as served:
        yield served


@contextlib.asynccontextmanager
async def listening(websocket: type[asyncio.Protocol] | None = None) -> AsyncIterator[Server]:
    door = listen("127.0.0.1", 0, setting="PEAKDESK_PORT")
    app = create_app(title="t", version="1", routers=[router], clock=SystemClock())
    listener = Listener(app, websocket=websocket)
    work = asyncio.create_task(listener.serve(sockets=[door]))
    await asyncio.wait_for(listener.open.wait(), TIMEOUT_S)
    served = Server(listener, door.getsockname()[1])
    try:
        yield served
    finally:
        await served.hang_up()
        listener.close()
        await asyncio.wait_for(work, TIMEOUT_S)


def request(body: bytes, *headers: bytes, target: bytes = b"POST /say HTTP/1.1") -> bytes:
    fixed = (target, b"host: desk", b"content-type: application/json")
    return b"\r\n".join((*fixed, *headers, b"", body))


def sized(body: bytes, *headers: bytes) -> bytes:
    return request(body, b"content-length: %d" % len(body), *headers)


async def test_a_connection_serves_one_request_after_another(server: Server) -> None:
    connection = await server.connect()
    for _ in range(3):
        await connection.send(sized(b'{"text": "hi"}'))
        assert await connection.answer() == (200, {"text": "hi"})


async def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    connection = await server.connect()
    await connection.send(b"".join(sized(b'{"text": "%d"}' % n) for n in range(5)))
    for number in range(5):
        assert await connection.answer() == (200, {"text": str(number)})


async def test_silence_is_answered_and_closed(server: Server) -> None:
    connection = await server.connect()
    status, shown = await connection.answer()
    assert (status, shown["code"]) == (408, "request_timeout")
    await connection.closed()


@pytest.mark.parametrize("pause", ["head", "body"])
async def test_a_request_that_trickles_in_is_closed(server: Server, pause: str) -> None:
    whole = sized(b'{"text": "' + b"x" * 1_000 + b'"}')
    cut = 30 if pause == "head" else len(whole) - 900
    connection = await server.connect()
    other = await server.connect()
    await connection.send(whole[:cut])

    async def trickle() -> None:
        for byte in whole[cut:]:
            await connection.send(bytes([byte]))
            await asyncio.sleep(0.005)

    drip = asyncio.create_task(trickle())
    await other.send(sized(b'{"text": "hi"}'))
    assert await other.answer() == (200, {"text": "hi"})
    await connection.closed()
    drip.cancel()
    await asyncio.gather(drip, return_exceptions=True)


async def test_the_second_request_of_a_connection_must_arrive_in_time_too(server: Server) -> None:
    connection = await server.connect()
    await connection.send(sized(b'{"text": "hi"}'))
    assert (await connection.answer())[0] == 200
    await connection.send(b"POST /say HT")
    assert (await connection.answer())[0] == 408
    await connection.closed()


async def test_an_answer_that_nobody_reads_is_cut(server: Server) -> None:
    connection = await server.connect()
    connection.writer.transport.pause_reading()  # type: ignore[attr-defined]
    # typeshed gives a WriteTransport, asyncio a full one
    await connection.send(b"GET /large HTTP/1.1\r\nhost: desk\r\n\r\n")
    await server.alone()
    connection.writer.transport.resume_reading()  # type: ignore[attr-defined]
    await connection.closed()


@pytest.mark.parametrize(
    "flood",
    [
        b"POST /say HTTP/1.1\r\nhost: desk\r\nx: " + b"y" * 4 * HEAD_LIMIT,
        b"POST /say HTTP/1.1\r\nhost: desk\r\n" + b"x: y\r\n" * HEAD_LIMIT,
        b"POST /" + b"y" * 4 * HEAD_LIMIT,
    ],
)
async def test_an_endless_head_is_refused(server: Server, flood: bytes) -> None:
    connection = await server.connect()
    for start in range(0, len(flood), 8_192):
        await connection.send(flood[start : start + 8_192])
        await asyncio.sleep(0)
    await connection.closed()


@pytest.mark.parametrize(
    "raw",
    [
        request(b"{}", b"content-length: 2", b"transfer-encoding: chunked"),
        request(b"{}", b"transfer-encoding: chunked", b"content-length: 2"),
        request(b"{}", b"content-length: 2", b"content-length: 3"),
        request(b"{}", b"content-length: -2"),
        request(b"{}", b"content-length: 2, 2"),
        request(b"zz\r\n{}\r\n0\r\n\r\n", b"transfer-encoding: chunked"),
        request(b"", b"x: a\r\n folded: b"),
        request(b"", b"x y: z"),
        request(b"", target=b"POST say HTTP/1.1"),
        request(b"", target=b"GET @evil.com HTTP/1.1"),
        request(b"", target=b"GET //evil.com\\@x HTTP/1.1"),
        request(b"", target="GET /käse HTTP/1.1".encode("latin-1")),
        request(b"", target=b"G@T /say HTTP/1.1"),
        request(b"", target=b"CONNECT evil.com:443 HTTP/1.1"),
        request(b"", target=b"GET /say HTTP/9.9"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100,
    ],
)
async def test_a_malformed_request_is_refused_and_closed(server: Server, raw: bytes) -> None:
    connection = await server.connect()
    await connection.send(raw)
    status, shown = await connection.answer()
    assert status in {400, 404, 405}
    assert shown["code"] in {"bad_request", "bad_host", "not_found", "method_not_allowed"}
    if shown["code"] == "bad_request":
        await connection.closed()


async def test_a_body_over_the_limit_is_refused_before_it_is_sent(server: Server) -> None:
    connection = await server.connect()
    await connection.send(request(b"", b"content-length: 1000000000"))
    status, shown = await connection.answer()
    assert (status, shown["code"]) == (413, "body_too_large")
    await connection.closed()


async def test_an_upgrade_that_nobody_serves_is_an_ordinary_request(server: Server) -> None:
    connection = await server.connect()
    await connection.send(
        b"GET /v1/ws HTTP/1.1\r\nhost: desk\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
    )
    assert (await connection.answer())[0] == 404


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


async def test_an_upgraded_connection_is_handed_over_and_no_longer_timed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subject, "ARRIVAL_LIMIT_S", 0.1)
    async with listening(websocket=Echo) as server:
        connection = await server.connect()
        other = await server.connect()
        await connection.send(
            b"GET /v1/ws HTTP/1.1\r\nhost: desk\r\n"
            b"connection: Upgrade\r\nupgrade: websocket\r\n\r\n"
        )
        assert (await connection.read_until(b"\r\n\r\n")).startswith(b"GET /v1/ws HTTP/1.1")
        await other.closed()  # it sent nothing: the limit has passed
        await connection.send(b"still here\n")
        assert await connection.read_until(b"\n") == b"still here\n"


async def test_a_taken_port_says_what_to_do(server: Server) -> None:
    with pytest.raises(PortTaken, match="stop what listens there or change PEAKDESK_PORT"):
        listen("127.0.0.1", server.port, setting="PEAKDESK_PORT")
