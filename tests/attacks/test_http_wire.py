"""Rows 21, 54, 55 and 57: HTTP itself, where what is sent is not what was agreed."""

import asyncio
import re
from functools import partial

import pytest

from contracts.people import Role
from kit.web.edge import BODY_LIMIT
from kit.web.guard import HEAD_LIMIT
from kit.web.problems import MEDIA_TYPE
from tests.attacks import watching
from tests.attacks.attacker import UPGRADE, Attacker, head, is_problem
from tests.attacks.cast import Cast
from tests.attacks.costs import costs_less
from tests.platform import Platform
from tests.world import World

pytestmark = pytest.mark.journey

HOST = ("Host", "localhost")
JSON = ("Content-Type", "application/json")
LOGIN = "POST /v1/sessions HTTP/1.1"


async def closes(attacker: Attacker, request: bytes, *statuses: int) -> bytes:
    """Assert that a request is refused, once, and its connection closed; return all that came."""
    wire = await attacker.wire()
    await wire.send(request)
    found = await wire.rest()
    assert found.count(b"HTTP/1.1 ") == 1, (request[:200], found)
    assert found.startswith(tuple(f"HTTP/1.1 {status} ".encode() for status in statuses)), (
        request[:200],
        found,
    )
    return found


async def test_attack_21_methods_that_nobody_offers_are_refused(
    attacker: Attacker, cast: Cast
) -> None:
    token = cast.ours.token(Role.AGENT)
    for method in ("TRACE", "PROPFIND", "PURGE", "MKCOL", "SEARCH", "LOCK", "REPORT"):
        for path in ("/v1/inbox", "/openapi.json", "/nowhere"):
            is_problem(await attacker.ask(method, path, token=token), 405)
    for method in (
        "CONNECT",
        "__CLASS__",
        "__init__",
        "dispatch",
        "FOO",
        "get",
        "G\u00cbT",
        "",
        "  ",
    ):
        answer = await attacker.exchange(head(f"{method} /v1/inbox HTTP/1.1"))
        assert answer.status in {400, 405}, method
    for method, path in (
        ("DELETE", "/v1/inbox"),
        ("PATCH", "/v1/orders"),
        ("PUT", "/v1/cases"),
        ("GET", "/v1/sessions/visitor"),
        ("POST", "/openapi.json"),
    ):
        is_problem(await attacker.ask(method, path, token=token, json={}), {404, 405})


BODY = b'{"login":"x","password":"y"}'
SMUGGLED = b"GET /v1/inbox HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_attack_54_lengths_that_contradict_each_other_are_refused_and_closed(
    attacker: Attacker,
) -> None:
    length = ("Content-Length", str(len(BODY)))
    chunked = ("Transfer-Encoding", "chunked")
    for headers in (
        [length, chunked],
        [chunked, length],
        [length, ("Content-Length", "0")],
        [length, ("content-length", str(len(BODY)))],
        [("Content-Length", f"{len(BODY)}, {len(BODY)}")],
        [("Content-Length", f"+{len(BODY)}")],
        [("Content-Length", "-1")],
        [("Content-Length", "0x10")],
        [("Content-Length", "1 6")],
        [("Content-Length", "9" * 30)],
        [("Transfer-Encoding", "chunked, identity")],
        [("Transfer-Encoding", "xchunked")],
        [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "identity")],
        [("Transfer-Encoding", "\x0bchunked")],
        [("Transfer-Encoding ", "chunked"), length],
        [("Transfer-Encoding\t", "chunked"), length],
    ):
        await closes(attacker, head(LOGIN, [HOST, JSON, *headers], BODY + SMUGGLED), 400)


async def test_attack_54_lines_that_may_be_read_in_two_ways_are_refused_and_closed(
    attacker: Attacker,
) -> None:
    for raw in (
        b"GET /v1/inbox HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        b"GET /v1/inbox HTTP/1.1\r\n Host: a\r\n\r\n",
        b"GET /v1/inbox HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        b"GET /v1/inbox HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        b"GET /v1/inbox HTTP/1.1\r\nHost: a\r\nX\x00: b\r\n\r\n",
        b"GET /v1/inbox HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        b"GET /v1/inbox HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n",
        b"GET /v1/inbox HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /v1/inbox HTTP/1.1 \r\nHost: a\r\n\r\n",
        b"GET /v1/in box HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET\t/v1/inbox\tHTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ):
        await closes(attacker, raw + SMUGGLED, 400)


async def test_attack_54_chunks_that_are_none_are_refused_and_closed(attacker: Attacker) -> None:
    for chunks in (
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"-1\r\na\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"ffffffffffffffff0\r\nabc\r\n",
        b"3 ;x\x00=1\r\nabc\r\n0\r\n\r\n",
        b"3\nabc\n0\n\n",
    ):
        request = head(LOGIN, [HOST, JSON, ("Transfer-Encoding", "chunked")], chunks + SMUGGLED)
        await closes(attacker, request, 400)


async def test_attack_54_a_body_that_breaks_off_is_no_request(
    attacker: Attacker, platform: Platform
) -> None:
    logs = watching.Logs(platform)
    for rest in (b"", BODY[:5]):
        for length in (("Content-Length", "100"), ("Transfer-Encoding", "chunked")):
            wire = await attacker.wire()
            await wire.send(head(LOGIN, [HOST, JSON, length], rest))
            await asyncio.sleep(0)
            wire.cut()
    assert (await attacker.ask("GET", "/openapi.json")).status_code == 200
    assert not logs.exceptions()


async def test_attack_55_a_body_over_the_limit_is_refused_unread(
    attacker: Attacker, platform: Platform
) -> None:
    before = watching.resident(platform)["gateway"]
    declared = head(LOGIN, [HOST, JSON, ("Content-Length", str(10**9))])
    await closes(attacker, declared, 413)

    wire = await attacker.wire()
    await wire.send(head(LOGIN, [HOST, JSON, ("Transfer-Encoding", "chunked")]))
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    for _ in range(BODY_LIMIT // 65_536 + 1):
        await wire.send(chunk)
    assert (await wire.answer()).status == 413
    exact = head(LOGIN, [HOST, JSON, ("Content-Length", str(BODY_LIMIT))], b" " * BODY_LIMIT)
    assert (await attacker.exchange(exact)).status == 422
    over = head(LOGIN, [HOST, JSON, ("Content-Length", str(BODY_LIMIT + 1))])
    assert (await attacker.exchange(over)).status == 413
    assert watching.resident(platform)["gateway"] - before < 64 * 1024 * 1024


async def test_attack_55_other_forms_and_compressed_bodies_are_not_read(
    attacker: Attacker,
) -> None:
    fields = b"&".join(b"a%d=1" % number for number in range(100_000))
    for kind in (
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/xml",
    ):
        answer = await attacker.ask(
            "POST", "/v1/sessions", content=fields[:1_000_000], headers={"Content-Type": kind}
        )
        is_problem(answer, 415)
    for encoding in ("gzip", "deflate", "br", "gzip, gzip"):
        headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
        answer = await attacker.ask("POST", "/v1/sessions", content=b"\x1f\x8b", headers=headers)
        is_problem(answer, 415)


async def test_attack_55_ranges_are_not_looked_at(
    attacker: Attacker, cast: Cast, platform: Platform
) -> None:
    token = cast.ours.token(Role.AGENT)
    ranges = ("bytes=0-0", "bytes=" + ",".join("0-" for _ in range(3_000)), "bytes=-1", "x=1-2")
    whole = await attacker.ask("GET", "/openapi.json")

    async def read(value: str) -> None:
        answer = await attacker.ask("GET", "/openapi.json", headers={"Range": value})
        assert (answer.status_code, len(answer.content)) == (200, len(whole.content))
        assert "content-range" not in answer.headers

    for value in ranges:
        assert await costs_less(2, partial(read, value), platform, "gateway"), value[:20]
    answer = await attacker.ask("GET", "/v1/inbox", token=token, headers={"Range": "bytes=0-0"})
    assert answer.status_code == 200


async def test_attack_55_ranges_of_pages_and_their_files_are_not_looked_at(
    attacker: Attacker,
) -> None:
    page = await attacker.ask("GET", "/desk")
    script = re.search(r'"(/assets/[^"]+\.js)"', page.text)
    assert script is not None
    many = "bytes=" + ",".join("0-" for _ in range(3_000))
    for path in ("/desk", script[1]):
        whole = await attacker.ask("GET", path)
        for value in ("bytes=0-0", many, "bytes=-1", "x=1-2"):
            answer = await attacker.ask("GET", path, headers={"Range": value})
            assert (answer.status_code, answer.content) == (200, whole.content)
            assert {"content-range", "accept-ranges"}.isdisjoint(answer.headers)


HIDDEN = (
    "/metrics",
    "/internal",
    "/internal/attach",
    "/internal/conversations/x/attach",
    "/live",
    "/ready",
    "/docs",
    "/redoc",
    "/debug",
    "/debug/pprof",
    "/admin",
    "/.env",
    "/.git/config",
    "/server-status",
    "/v1/metrics",
    "/v1/internal/attach",
    "/v1/docs",
    "/v1/openapi.json",
    "/v1/conversations/../../internal/attach",
    "/v1/conversations/%2e%2e/%2e%2e/internal/attach",
    "/v1/conversations/..%2f..%2finternal",
    "/v1/monitor/..%5c..%5cmetrics",
    "/v1/orders/%2e%2e/%2e%2e/metrics",
    "//metrics",
    "/METRICS",
)


async def test_attack_57_what_is_for_operators_is_not_at_the_public_door(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    admin = world.admin.token
    for path in HIDDEN:
        for token in (None, cast.ours.token(Role.ADMIN), admin):
            headers = [HOST] if token is None else [HOST, ("Authorization", f"Bearer {token}")]
            answer = await attacker.exchange(head(f"GET {path} HTTP/1.1", headers))
            is_problem(answer, {404} if token else {401, 404})
            assert b"peakdesk_http" not in answer.body


BESIDE_THE_PAGES = (
    "/index.html",
    "/built_from",
    "/chunks.json",
    "/console",
    "/desks",
    "/assets",
    "/assets/",
    "/assets/gone.js",
    "/assets/../index.html",
    "/assets/%2e%2e/index.html",
    "/assets/..%2findex.html",
    "/assets//etc/passwd",
)


async def test_attack_57_nothing_hidden_answers_a_page_to_a_browser(attacker: Attacker) -> None:
    for path in HIDDEN + BESIDE_THE_PAGES:
        headers = [HOST, ("Accept", "text/html,*/*;q=0.8")]
        answer = await attacker.exchange(head(f"GET {path} HTTP/1.1", headers))
        assert answer.status in {401, 404}, path
        assert answer.headers["content-type"] == MEDIA_TYPE, path
        assert answer.headers["cache-control"] == "no-store", path


async def test_heads_over_their_limit_are_refused_however_they_come(attacker: Attacker) -> None:
    await closes(attacker, head("GET /" + "a" * 200_000 + " HTTP/1.1", [HOST]), 400, 414, 431)
    big = [HOST, *((f"X-{number}", "y" * 1_000) for number in range(200))]
    await closes(attacker, head("GET /v1/inbox HTTP/1.1", big), 431)
    many = [HOST, *((f"X{number}", "") for number in range(20_000))]
    await closes(attacker, head("GET /v1/inbox HTTP/1.1", many), 431)
    slowly = head("GET /v1/inbox HTTP/1.1", [HOST, ("X", "y" * (HEAD_LIMIT * 3))])
    wire = await attacker.wire()
    for at in range(0, len(slowly), 8_192):
        await wire.send(slowly[at : at + 8_192])
        await asyncio.sleep(0.001)
    assert (await wire.rest()).startswith(b"HTTP/1.1 431 ")


async def test_a_request_in_single_bytes_and_two_in_one_segment_are_read(
    attacker: Attacker, cast: Cast
) -> None:
    bearer = ("Authorization", f"Bearer {cast.ours.token(Role.AGENT)}")
    one = head("GET /v1/orders HTTP/1.1", [HOST, bearer])
    wire = await attacker.wire()
    for byte in one:
        await wire.send(bytes([byte]))
    assert (await wire.answer()).status == 200
    await wire.send(one + head("GET /v1/nowhere HTTP/1.1", [HOST, bearer]) + one)
    assert [(await wire.answer()).status for _ in range(3)] == [200, 404, 200]


async def test_a_pipelined_upgrade_never_overtakes_the_answer_before_it(
    attacker: Attacker, cast: Cast
) -> None:
    bearer = ("Authorization", f"Bearer {cast.ours.token(Role.AGENT)}")
    wire = await attacker.wire()
    await wire.send(
        head("GET /v1/orders HTTP/1.1", [HOST, bearer]) + head("GET /v1/ws HTTP/1.1", UPGRADE)
    )
    found = await wire.rest()
    first = found.find(b"HTTP/1.1 200 ")
    assert first == 0 or found.startswith(b"HTTP/1.1 400 "), found[:300]
    assert b"HTTP/1.1 101 " not in found


async def test_a_socket_wants_http_1_1(attacker: Attacker) -> None:
    for version in ("HTTP/1.0", "HTTP/0.9"):
        answer = await attacker.exchange(head(f"GET /v1/ws {version}", UPGRADE))
        is_problem(answer, {400, 401, 404, 426})


async def test_requests_without_end_on_one_connection_hold_little_memory(
    attacker: Attacker, platform: Platform
) -> None:
    before = watching.resident(platform)["gateway"]
    wire = await attacker.wire()
    wire.stop_reading()
    some = head("GET /v1/limits HTTP/1.1", [HOST]) * 1_000
    for _ in range(100):
        try:
            async with asyncio.timeout(0.2):
                await wire.send(some)
        except TimeoutError:
            break
    assert watching.resident(platform)["gateway"] - before < 64 * 1024 * 1024
    assert (await attacker.ask("GET", "/openapi.json")).status_code == 200
