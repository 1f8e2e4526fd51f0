"""The listener on a real socket: what is malformed, smuggled, pipelined, upgraded out of turn.

H42; attack table, rows 20, 21 and 54.
"""

from collections.abc import AsyncIterator

import pytest

from kit.web.guard import CHUNKS_LIMIT, FIELDS_LIMIT, HEAD_LIMIT
from kit.web.wire import HttpProtocol
from tests.integration.kitweb.raw import Echo, Server, listening, request, sized

pytestmark = pytest.mark.integration

CHUNKED = b"transfer-encoding: chunked"
GET = b"GET /nothing HTTP/1.1\r\nhost: desk\r\n\r\n"
UPGRADE = (b"host: desk", b"connection: Upgrade", b"upgrade: websocket")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with listening(websocket=Echo) as served:
        yield served


def chunked(*parts: bytes) -> bytes:
    return request(b"".join(parts), CHUNKED)


def asked(*lines: bytes, target: bytes = b"GET /v1/ws HTTP/1.1") -> bytes:
    return b"\r\n".join((target, *lines, b"", b""))


# ---- row 54: no doubt where a request ends


MALFORMED = {
    "cl.te": request(b"0\r\n\r\n", b"content-length: 5", CHUNKED),
    "te.cl": request(b"0\r\n\r\n", CHUNKED, b"content-length: 5"),
    "two lengths": request(b"{}", b"content-length: 2", b"content-length: 3"),
    "one length twice": request(b"{}", b"content-length: 2", b"content-length: 2"),
    "a list of lengths": request(b"{}", b"content-length: 2, 2"),
    "negative length": request(b"{}", b"content-length: -2"),
    "signed length": request(b"{}", b"content-length: +2"),
    "hexadecimal length": request(b"{}", b"content-length: 0x2"),
    "empty length": request(b"{}", b"content-length: "),
    "overflowing length": request(b"{}", b"content-length: 99999999999999999999"),
    "two encodings": request(b"0\r\n\r\n", CHUNKED, CHUNKED),
    "gzip, chunked": request(b"0\r\n\r\n", b"transfer-encoding: gzip, chunked"),
    "chunked, gzip": request(b"0\r\n\r\n", b"transfer-encoding: chunked, gzip"),
    "chunked, chunked": request(b"0\r\n\r\n", b"transfer-encoding: chunked, chunked"),
    "identity": request(b"{}", b"transfer-encoding: identity"),
    "xchunked": request(b"0\r\n\r\n", b"transfer-encoding: xchunked"),
    "chunked after a tab": request(b"0\r\n\r\n", b"transfer-encoding: \x0bchunked"),
    "chunked in 1.0": request(b"0\r\n\r\n", CHUNKED, target=b"POST /say HTTP/1.0"),
    "no chunk size": chunked(b"\r\n{}\r\n0\r\n\r\n"),
    "bad chunk size": chunked(b"zz\r\n{}\r\n0\r\n\r\n"),
    "negative chunk size": chunked(b"-2\r\n{}\r\n0\r\n\r\n"),
    "prefixed chunk size": chunked(b"0x2\r\n{}\r\n0\r\n\r\n"),
    "overflowing chunk size": chunked(b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
    "space after chunk size": chunked(b"2 \r\n{}\r\n0\r\n\r\n"),
    "chunk longer than said": chunked(b"2\r\n{}}\r\n0\r\n\r\n"),
    "bare LF after chunk size": chunked(b"2\n{}\r\n0\r\n\r\n"),
    "bare LF after chunk": chunked(b"2\r\n{}\n0\r\n\r\n"),
    "length as a trailer": chunked(b"0\r\ncontent-length: 5\r\n\r\n"),
    "folded trailer": chunked(b"0\r\na: b\r\n c\r\n\r\n"),
    "folded header": request(b"", b"x: a\r\n folded: b"),
    "folded encoding": request(b"0\r\n\r\n", b"transfer-encoding:\r\n chunked"),
    "space before colon": request(b"{}", b"content-length : 2"),
    "space in a name": request(b"", b"x y: z"),
    "no name": request(b"", b": z"),
    "no colon": request(b"", b"xyz"),
    "bare LF": request(b"").replace(b"\r\n", b"\n"),
    "bare LF in the head": request(b"", b"x: y\nz: a"),
    "bare CR in the head": request(b"", b"x: y\rz: a"),
    "NUL in a value": request(b"", b"x: a\0b"),
    "control character in a value": request(b"", b"x: a\x01b"),
    "version 0.9": request(b"", target=b"POST /say HTTP/0.9"),
    "version 2.0": request(b"", target=b"POST /say HTTP/2.0"),
    "version 9.9": request(b"", target=b"POST /say HTTP/9.9"),
    "no version": b"GET /say\r\n\r\n",
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "zeros": b"\x00" * 100,
    "no slash": request(b"", target=b"POST say HTTP/1.1"),
    "an address": request(b"", target=b"GET @evil.com HTTP/1.1"),
    "bytes in the target": request(b"", target=b"GET /k\xe4se HTTP/1.1"),
    "a strange method": request(b"", target=b"G@T /say HTTP/1.1"),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_request_is_refused_and_closed(server: Server, raw: bytes) -> None:
    connection = await server.connect()
    await connection.send(raw + GET)
    assert await connection.refusal() == (400, "bad_request")
    assert connection.rest == b""


@pytest.mark.parametrize("host", [b"a/?x", b"x@y", b"", b"a\r\nhost: b"])
async def test_a_host_that_is_none_is_refused(server: Server, host: bytes) -> None:
    connection = await server.connect()
    await connection.send(b"GET /me HTTP/1.1\r\nhost: " + host + b"\r\n\r\n")
    assert (await connection.answer())[1]["code"] == "bad_host"


async def test_a_tunnel_is_no_method_of_ours(server: Server) -> None:
    connection = await server.connect()
    await connection.send(b"CONNECT evil.com:443 HTTP/1.1\r\nhost: evil.com\r\n\r\nhello")
    assert await connection.refusal() == (405, "method_not_allowed")


async def test_spaces_around_a_value_are_no_part_of_it(server: Server) -> None:
    connection = await server.connect()
    await connection.send(b"GET /nothing HTTP/1.1\r\nhost:\t desk \t\r\n\r\n")
    assert (await connection.answer())[0] == 404


async def test_a_path_that_looks_like_an_address_is_a_path(server: Server) -> None:
    connection = await server.connect()
    for path in (b"//evil.com/say", b"//evil.com\\@x", b"/@evil.com"):
        await connection.send(GET.replace(b"/nothing", path))
        assert (await connection.answer())[1]["code"] == "not_found"


async def test_an_absolute_target_is_served_by_its_path(server: Server) -> None:
    connection = await server.connect()
    await connection.send(
        sized(b'{"text": "hi"}').replace(b"POST /say", b"POST http://evil.com:81/say")
    )
    assert await connection.answer() == (200, {"text": "hi"})


async def test_head_is_answered_as_get_without_its_body(server: Server) -> None:
    connection = await server.connect()
    for path, status in ((b"/large", b"200"), (b"/me", b"401"), (b"/nothing", b"404")):
        await connection.send(GET.replace(b"GET /nothing", b"HEAD " + path))
        head = await connection.read_until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 " + status)
        assert b"content-length: " in head
    await connection.send(GET.replace(b"GET /nothing", b"HEAD /say"))
    head = await connection.read_until(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 405")
    assert b"\r\nallow: POST\r\n" in head.lower().replace(b"post", b"POST")


# ---- trailers, chunks, heads


async def test_trailers_are_dropped(server: Server) -> None:
    connection = await server.connect()
    trailers = b"authorization: Bearer x\r\ncontent-type: text/plain\r\nupgrade: websocket\r\n"
    body = b'e\r\n{"text": "hi"}\r\n0\r\n' + trailers + b"\r\n"
    for _ in range(2):
        await connection.send(request(body, CHUNKED))
        assert await connection.answer() == (200, {"text": "hi"})
    await connection.send(
        asked(b"host: desk", CHUNKED, target=b"GET /me HTTP/1.1") + b"0\r\n" + trailers + b"\r\n"
    )
    assert (await connection.answer())[1]["code"] == "unauthorized"


@pytest.mark.parametrize("behind", [0, 60])
async def test_headers_and_trailers_are_counted_together(server: Server, behind: int) -> None:
    for surplus in (0, 1):
        lines = [b"x: y"] * (FIELDS_LIMIT - behind - 3 + surplus)  # and the three of `request`
        trailers = b"x: y\r\n" * behind
        body = b'e\r\n{"text": "hi"}\r\n0\r\n' + trailers + b"\r\n"
        connection = await server.connect()
        await connection.send(request(body, CHUNKED, *lines))
        if surplus:
            assert await connection.refusal() == (431, "head_too_large")
        else:
            assert (await connection.answer())[0] == 200


@pytest.mark.parametrize(
    "flood",
    [
        b"x: " + b"y" * 4 * HEAD_LIMIT,
        b"y" * 4 * HEAD_LIMIT,
        (b"x: " + b"y" * 2_000 + b"\r\n") * 64,
    ],
    ids=["value", "name", "lines"],
)
@pytest.mark.parametrize("place", ["head", "trailer", "extension"])
async def test_an_endless_head_is_refused_wherever_it_stands(
    server: Server, place: str, flood: bytes
) -> None:
    begin = {
        "head": b"POST /say HTTP/1.1\r\nhost: desk\r\n",
        "trailer": chunked(b"0\r\n"),
        "extension": chunked(b"2;a=" if flood.startswith(b"y") else b"2;"),
    }[place]
    connection = await server.connect()
    await connection.send(begin + flood)
    status, _code = await connection.refusal()
    assert status == (400 if place == "extension" and b" " in flood else 431)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (request(b"", b"content-length: 50000000"), 413),
        (request(b"", b"content-length: 500000", b"if-match: 1", b"if-match: 2"), 400),
        (chunked(b"0\r\n"), 431),
        (chunked(b"zz\r\n"), 400),
    ],
)
async def test_who_is_refused_while_sending_can_read_why(
    server: Server, raw: bytes, status: int
) -> None:
    connection = await server.connect()
    await connection.send(raw + (b"x: " + b"y" * 1_000 + b"\r\n") * 4_000)
    assert (await connection.refusal())[0] == status
    assert connection.rest == b""


async def test_a_head_just_under_the_limit_is_read(server: Server) -> None:
    connection = await server.connect()
    filler = b"x: " + b"y" * (HEAD_LIMIT - 1_200)
    await connection.send(sized(b'{"text": "hi"}', filler))
    assert await connection.answer() == (200, {"text": "hi"})


async def test_a_body_comes_in_so_many_chunks(server: Server) -> None:
    connection = await server.connect()
    text = b'{"text": "' + b"x" * (CHUNKS_LIMIT - 13) + b'"}'
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in text)
    assert len(text) == CHUNKS_LIMIT - 1
    await connection.send(chunked(pieces, b"0\r\n\r\n"))
    assert (await connection.answer())[0] == 200
    await connection.send(chunked(b"1\r\nx\r\n", pieces, b"0\r\n\r\n"))
    assert await connection.refusal() == (400, "bad_request")


async def test_small_extensions_of_chunks_are_ignored(server: Server) -> None:
    connection = await server.connect()
    await connection.send(chunked(b'e;a=b;c="d"\r\n{"text": "hi"}\r\n0;z\r\n\r\n'))
    assert await connection.answer() == (200, {"text": "hi"})


# ---- pipelines


async def test_many_pipelined_requests_are_answered_in_order(server: Server) -> None:
    connection = await server.connect()
    bodies = server.listener.shared.bodies
    count = 1_000
    await connection.send(b"".join(sized(b'{"text": "%d"}' % n) for n in range(100)))
    for number in range(100):
        assert await connection.answer() == (200, {"text": str(number)})
    connection.writer.write(GET * count)
    held = 0
    for _ in range(count):
        assert (await connection.answer())[0] == 404
        held = max(held, bodies.total)
        (one,) = server.listener.server_state.connections
        assert isinstance(one, HttpProtocol)
        assert len(one.pipeline) < 32
    assert 0 < held < 1024 * 1024
    assert bodies.total == 0


async def test_a_refusal_waits_for_the_answers_before_it(server: Server) -> None:
    for bad in (b"GET / HTTP/1.1\r\nhost : x\r\n\r\n", chunked(b"zz\r\n"), b"\x00" * 50):
        connection = await server.connect()
        await connection.send(sized(b'{"text": "1"}') + sized(b'{"text": "2"}') + bad + GET)
        assert await connection.answer() == (200, {"text": "1"})
        assert await connection.answer() == (200, {"text": "2"})
        assert await connection.refusal() == (400, "bad_request")


async def test_nothing_is_heard_behind_a_goodbye(server: Server) -> None:
    connection = await server.connect()
    await connection.send(sized(b'{"text": "1"}', b"connection: close") + GET)
    assert await connection.answer() == (200, {"text": "1"})
    await connection.closed()
    assert connection.rest == b""


# ---- upgrades


async def test_an_upgrade_while_an_answer_is_due_is_refused(server: Server) -> None:
    connection = await server.connect()
    await connection.send(sized(b'{"text": "1"}') + asked(*UPGRADE) + b"frames")
    assert await connection.answer() == (200, {"text": "1"})
    assert await connection.refusal() == (400, "bad_request")

    await (connection := await server.connect()).send(sized(b'{"text": "1"}'))
    assert await connection.answer() == (200, {"text": "1"})
    await connection.send(asked(*UPGRADE))
    assert (await connection.read_until(b"\r\n\r\n")).startswith(b"GET /v1/ws HTTP/1.1")


async def test_an_upgrade_to_something_else_has_its_turn_like_any_request(server: Server) -> None:
    connection = await server.connect()
    other = asked(b"host: desk", b"connection: upgrade", b"upgrade: h2c")
    await connection.send(sized(b'{"text": "1"}') + other + GET)
    assert await connection.answer() == (200, {"text": "1"})
    assert (await connection.answer())[0] == 404
    assert (await connection.answer())[0] == 404


@pytest.mark.parametrize(
    "raw",
    [
        asked(*UPGRADE, target=b"GET /v1/ws HTTP/1.0"),
        asked(*UPGRADE, target=b"POST /v1/ws HTTP/1.1"),
        asked(*UPGRADE, b"upgrade: h2c"),
        asked(b"host: desk", b"connection: upgrade", b"upgrade: h2c"),
        asked(b"host: desk", b"upgrade: websocket"),
        asked(b"host: desk", b"connection: keep-alive", b"upgrade: websocket"),
        asked(b"host: desk", b"connection: xupgrade", b"upgrade: websocket"),
    ],
)
async def test_what_is_no_plain_wish_for_a_socket_is_an_ordinary_request(
    server: Server, raw: bytes
) -> None:
    connection = await server.connect()
    await connection.send(raw + GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
    assert (await connection.answer())[0] == 404
    if b"HTTP/1.0" not in raw:
        assert (await connection.answer())[0] == 404
    await connection.closed()
    assert connection.rest == b""


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c"])
@pytest.mark.parametrize("body", [b"content-length: 5", CHUNKED])
async def test_an_upgrade_with_a_body_is_refused(
    server: Server, upgrade: bytes, body: bytes
) -> None:
    connection = await server.connect()
    lines = [b"host: desk", b"connection: upgrade", b"upgrade: " + upgrade, body]
    await connection.send(asked(*lines, target=b"POST /say HTTP/1.1") + b"0\r\n\r\n" + GET)
    assert await connection.refusal() == (400, "bad_request")
    assert connection.rest == b""


@pytest.mark.parametrize(
    "lines",
    [
        [b"connection: keep-alive, Upgrade"],
        [b"connection: keep-alive", b"connection: Upgrade"],
        [b"connection: upgrade", b"connection: keep-alive"],
        [b"Connection:UPGRADE", b"content-length: 0"],
    ],
)
async def test_the_wish_for_a_socket_may_be_spelled_in_several_ways(
    server: Server, lines: list[bytes]
) -> None:
    connection = await server.connect()
    await connection.send(asked(b"host: desk", b"upgrade: WebSocket", *lines) + b"early\n")
    head = await connection.read_until(b"\r\n\r\n")
    assert b"\r\nconnection: Upgrade\r\nupgrade: websocket\r\n" in head
    assert head.count(b"pgrade: ") == 1
    assert await connection.read_until(b"\n") == b"early\n"
    assert not server.listener.server_state.connections
    assert server.listener.shared.connections.inside == 0


async def test_an_upgrade_that_nobody_serves_is_an_ordinary_request() -> None:
    async with listening() as server:
        connection = await server.connect()
        await connection.send(asked(*UPGRADE) + sized(b'{"text": "hi"}'))
        assert (await connection.answer())[0] == 404
        assert await connection.answer() == (200, {"text": "hi"})
