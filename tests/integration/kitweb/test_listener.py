"""The listener on a real socket: what arrives late, too large or malformed.

Attack table, rows 29 and 55; what is malformed is in test_wire.
"""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from kit.web import ending
from kit.web import wire as subject
from kit.web.guard import HEAD_LIMIT
from kit.web.raw import RawBodies
from kit.web.server import PortTaken, listen
from tests.integration.kitweb.raw import Echo, Server, listening, request, sized

pytestmark = pytest.mark.integration


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(subject, "ARRIVAL_LIMIT_S", 0.3)
    monkeypatch.setattr(subject, "UNREAD_LIMIT_S", 0.3)
    async with listening() as served:
        yield served


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


async def test_a_request_that_outlives_the_listener_is_told_to_ask_again() -> None:
    async with listening() as server:
        connection = await server.connect()
        await connection.send(request(b"", target=b"GET /for-ever HTTP/1.1"))
        await server.busy()
        server.listener.close()

        status, shown = await connection.answer()

        assert (status, shown["code"]) == (503, "unavailable")
        assert connection.fields[b"retry-after"] == b"1"
        await connection.closed()


async def test_who_was_refused_is_not_late_as_well(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: failures.append(context))
    monkeypatch.setattr(ending, "LINGER_S", 0.6)  # longer than a request may take to arrive
    for refused in (request(b"x", b"content-length: 50000000"), request(b"", b"x : y")):
        connection = await server.connect()
        await connection.send(refused)
        assert (await connection.answer())[0] in {400, 413}
        await server.alone()
        await connection.closed()
        assert connection.rest == b""
    assert failures == []


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


async def test_a_body_over_the_limit_is_refused_before_it_is_sent(server: Server) -> None:
    connection = await server.connect()
    await connection.send(request(b"", b"content-length: 1000000000"))
    status, shown = await connection.answer()
    assert (status, shown["code"]) == (413, "body_too_large")
    await connection.closed()


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


async def test_a_file_may_take_longer_to_arrive_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subject, "ARRIVAL_LIMIT_S", 0.3)
    kinds = frozenset({"application/json"})
    raw = RawBodies(re.compile("/say"), kinds, most=1_000, arrival_s=600.0, wanted="")
    async with listening(raw=raw, websocket=Echo) as server:
        socket = await server.connect()
        await socket.send(
            b"GET /v1/ws HTTP/1.1\r\nhost: desk\r\n"
            b"connection: Upgrade\r\nupgrade: websocket\r\n\r\n"
        )
        assert (await socket.read_until(b"\r\n\r\n")).startswith(b"GET /v1/ws HTTP/1.1")
        file, words = await server.connect(), await server.connect()
        whole = sized(b'{"text": "hi"}')
        await file.send(whole[:-1])
        await words.send(request(b"", b"content-length: 9", target=b"POST /me HTTP/1.1"))
        assert (await words.answer())[0] == 408  # the limit has passed
        await file.send(whole[-1:])
        assert await file.answer() == (200, {"text": "hi"})


async def test_a_taken_port_says_what_to_do(server: Server) -> None:
    with pytest.raises(PortTaken, match="stop what listens there or change PEAKDESK_PORT"):
        listen("127.0.0.1", server.port, setting="PEAKDESK_PORT")
