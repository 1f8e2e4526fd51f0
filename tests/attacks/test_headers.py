"""Headers and bodies said twice, too late, in other letters, or held back."""

import asyncio
import contextlib
import json
import uuid

import pytest

from contracts.people import Role
from kit.web.capacity import BODIES_SHARE
from kit.web.edge import BODY_LIMIT
from tests.attacks import watching
from tests.attacks.attacker import CLOSE, UPGRADE, Attacker, frame, head, is_problem
from tests.attacks.cast import AUDITS, Cast
from tests.platform import Platform
from tests.waiting import eventually

pytestmark = pytest.mark.journey

HOST, JSON = ("Host", "localhost"), ("Content-Type", "application/json")
CHUNKED = ("Transfer-Encoding", "chunked")
LOGIN = "POST /v1/sessions HTTP/1.1"
MIB = 1024 * 1024


def bearer(token: str) -> tuple[str, str]:
    """Return the header that shows a token."""
    return ("Authorization", f"Bearer {token}")


async def test_a_second_token_beside_the_first_is_refused(attacker: Attacker, cast: Cast) -> None:
    ours, theirs = (bearer(house.token(Role.SUPERVISOR)) for house in (cast.ours, cast.theirs))
    for shown in ((ours, theirs), (theirs, ours), (ours, ours), (ours, ("authorization", "x"))):
        request = head("GET /v1/conversations HTTP/1.1", [HOST, *shown])
        is_problem(await attacker.exchange(request), 400)
    for value in ("", "Bearer", "Bearer ", "Bearer x y", "Basic eDp4", "Token x", "Bearer " + "é"):
        request = head("GET /v1/conversations HTTP/1.1", [HOST, ("Authorization", value)])
        is_problem(await attacker.exchange(request), {400, 401})


async def test_every_header_that_stands_alone_is_refused_twice(
    attacker: Attacker, cast: Cast
) -> None:
    body = b"{}"
    right = {
        "Idempotency-Key": f"k-{uuid.uuid4()}",
        "If-Match": '"1"',
        "Content-Type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": "1",
        "webhook-signature": "v1,x",
    }
    token = bearer(cast.ours.token(Role.CLERK))
    for name, value in right.items():
        for second in (value, value + "x", ""):
            headers = [HOST, token, ("Content-Length", "2"), *right.items(), (name.upper(), second)]
            request = head("POST /v1/orders/x/print HTTP/1.1", headers, body)
            is_problem(await attacker.exchange(request), 400)


async def test_letters_outside_ascii_in_a_header_are_no_failure_of_ours(
    attacker: Attacker, cast: Cast, platform: Platform
) -> None:
    logs = watching.Logs(platform)
    token = bearer(cast.ours.token(Role.CLERK))
    names = ("Idempotency-Key", "If-Match", "Content-Type", "webhook-id", "webhook-signature")
    for name in names:
        right = [(one, "x") for one in names if one not in {name, "Content-Type"}]
        for value in ("é", "\udcff", "键", "\x85"):
            headers = [HOST, token, ("Content-Length", "2"), *right, (name, value)]
            request = head("POST /v1/orders/x/print HTTP/1.1", headers, b"{}")
            is_problem(await attacker.exchange(request), {400, 415})
    for name in ("Accept-Language", "User-Agent", "X-Anything", "Accept", "Cookie"):
        request = head("GET /v1/inbox HTTP/1.1", [HOST, token, (name, "é\udcff")])
        assert (await attacker.exchange(request)).status == 200
        request = head("GET /v1/ws HTTP/1.1", (*UPGRADE, (name, "é\udcff")))
        assert (await attacker.exchange(request)).status in {101, 400, 403}
    assert not logs.exceptions()


async def test_trailers_are_bounded_and_no_headers(
    attacker: Attacker, cast: Cast, platform: Platform
) -> None:
    before = watching.resident(platform)["gateway"]
    late = f"authorization: Bearer {cast.ours.token(Role.AGENT)}\r\n".encode()
    request = head(
        "POST /v1/conversations HTTP/1.1", [HOST, JSON, CHUNKED, ("Idempotency-Key", "x")]
    )
    chunks = b"2\r\n{}\r\n0\r\n"
    is_problem(await attacker.exchange(request + chunks + late + b"\r\n"), 401)

    wire = await attacker.wire()
    await wire.send(request + chunks)
    for number in range(2_000):
        await wire.send(b"x%d: " % number + b"y" * 1_000 + b"\r\n")
        if wire.over:
            break
    # Two megabytes fit into what the kernel keeps for a gateway that has not come to them yet.
    await eventually(lambda: wire.over, within=30, what="an end of two megabytes of trailers")
    assert watching.resident(platform)["gateway"] - before < 32 * MIB


async def test_parked_bodies_hold_little_memory_and_shut_nobody_out(
    attacker: Attacker, cast: Cast, platform: Platform
) -> None:
    before = watching.resident(platform)["gateway"]
    parked = BODY_LIMIT - 1_000
    request = head(LOGIN, [HOST, JSON, ("Content-Length", str(BODY_LIMIT - 1))])
    wires = [await attacker.wire() for _ in range(2 * BODIES_SHARE // parked)]
    await asyncio.gather(*(wire.send(request + b" " * parked) for wire in wires))
    await eventually(lambda: any(wire.over for wire in wires), within=30, what="one refused")
    for wire in wires:
        if wire.over:
            # The answer may be lost with what the gateway did not read.
            with contextlib.suppress(EOFError):
                is_problem(await wire.answer(), {408, 503})
    assert watching.resident(platform)["gateway"] - before < 3 * BODIES_SHARE
    other = Attacker(platform.url)
    body = json.dumps({"shop_id": cast.ours.id}).encode()
    headers = {"Content-Type": "application/json"}
    visit = await other.ask("POST", "/v1/sessions/visitor", content=body, headers=headers)
    await other.close()
    if attacker.address != "127.0.0.1":
        assert visit.status_code == 201


async def test_a_goodbye_without_a_code_is_answered_as_a_usual_one(
    attacker: Attacker, cast: Cast
) -> None:
    wire = await attacker.wire()
    await wire.send(head("GET /v1/ws HTTP/1.1", UPGRADE))
    assert (await wire.answer()).status == 101
    hello = json.dumps({"t": "hello", "v": 1, "token": cast.ours.token(Role.AGENT)})
    await wire.send(frame(hello.encode()))
    await wire.send(frame(b"", opcode=CLOSE))
    assert await wire.close_code() == 1000


async def test_a_filter_that_a_list_does_not_know_is_refused(
    attacker: Attacker, cast: Cast
) -> None:
    token = cast.ours.token(Role.SUPERVISOR)
    lists = (
        "/v1/conversations",
        f"/v1/conversations/{cast.ours.conversation}/messages",
        "/v1/orders",
        "/v1/cases",
        "/v1/work-items",
        "/v1/staff",
        "/v1/agents",
        *AUDITS,
        f"/v1/monitor/flags?shop={cast.ours.id}",
    )
    for path in lists:
        known = {} if "?" not in path else {"shop": cast.ours.id}
        unknown = ("stat", "sort", "offset", "order_by", "__proto__")
        for name in unknown if path == "/v1/orders" else (*unknown, "q"):
            answer = await attacker.ask(
                "GET", path.partition("?")[0], token=token, params={**known, name: "x"}
            )
            is_problem(answer, 422)
