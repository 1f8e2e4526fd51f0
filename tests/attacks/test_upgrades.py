"""Rows 18 to 20, 27, 56 and 67: requests that are refused before anything is done for them."""

import pytest
from picows import WSInvalidStatusError

from contracts.frames import CloseCode
from contracts.people import Role
from kit.web.edge import SECURITY_HEADERS
from tests.attacks.attacker import UPGRADE, Attacker, frame, head, is_problem
from tests.attacks.cast import Cast
from tests.platform import Platform

pytestmark = pytest.mark.journey

GET = "GET /v1/ws HTTP/1.1"
EVIL = "https://evil.example"
FORBIDDEN_TO_PAGES = {"access-control-allow-origin", "access-control-allow-credentials"}


def upgrade(*changes: tuple[str, str], start: str = GET) -> bytes:
    """Return an upgrade request; a changed header replaces the right one."""
    changed = {name.lower() for name, _ in changes}
    kept = [(name, value) for name, value in UPGRADE if name.lower() not in changed]
    return head(start, (*kept, *changes))


async def test_attack_18_a_token_in_the_url_is_refused_and_in_no_log(
    attacker: Attacker, cast: Cast, platform: Platform
) -> None:
    token = cast.ours.token(Role.AGENT)
    before = len(platform.log("gateway"))
    names = ("token", "access_token", "Access_Token", "refresh_token", "jwt", "bearer")
    for name in names:
        answer = await attacker.ask("GET", f"/v1/inbox?a=1&{name}={token}")
        is_problem(answer, 400, "token_in_url")
        refused = await attacker.exchange(upgrade(start=f"GET /v1/ws?{name}={token} HTTP/1.1"))
        is_problem(refused, 400, "token_in_url")
    is_problem(await attacker.ask("GET", f"/v1/inbox?acce%73s_token={token}"), 400, "token_in_url")
    logged = platform.log("gateway")[before:]
    assert token not in logged
    assert token.split(".")[2] not in logged


async def test_attack_19_a_page_of_another_site_opens_no_socket(attacker: Attacker) -> None:
    host = attacker.url.removeprefix("http://")
    origins = [
        EVIL,
        "null",
        "",
        f"{attacker.url}.evil.example",
        f"https://{host}",
        f"{attacker.url}/",
        f"{attacker.url},{EVIL}",
        "file://",
        "*",
    ]
    for origin in origins:
        refused = await attacker.exchange(upgrade(("Origin", origin)))
        is_problem(refused, 403, "bad_origin")
    twice = upgrade(("Origin", attacker.url), ("Origin", EVIL))
    is_problem(await attacker.exchange(twice), {400, 403})
    is_problem(await attacker.exchange(upgrade(("Cookie", "session=1"))), 403, "bad_origin")
    allowed = await attacker.exchange(upgrade(("Origin", attacker.url)))
    assert allowed.status == 101


async def test_attack_20_a_strange_host_or_target_is_refused_and_opens_nothing(
    attacker: Attacker, cast: Cast
) -> None:
    bearer = ("Authorization", f"Bearer {cast.ours.token(Role.AGENT)}")
    for host in ("a/?x", "x@y", "a b", "", "a,b", "[::1", "a\tb", "é", "a:99999999", "../a"):
        for request in (
            head("GET /v1/inbox HTTP/1.1", [("Host", host), bearer]),
            upgrade(("Host", host)),
        ):
            is_problem(await attacker.exchange(request), 400)
    for hosts in ([], ["a", "b"], ["a", "a"]):
        request = head("GET /v1/inbox HTTP/1.1", [*(("Host", host) for host in hosts), bearer])
        is_problem(await attacker.exchange(request), 400)
    for target in ("@evil.com", "evil.com", "*", "v1/inbox", "?x"):
        request = head(f"GET {target} HTTP/1.1", [("Host", "a"), bearer])
        is_problem(await attacker.exchange(request), {400, 404})
    for target in ("//v1/inbox", "/v1//inbox", "/v1/../v1/inbox", "/v1/%2e%2e/v1/inbox"):
        request = head(f"GET {target} HTTP/1.1", [("Host", "a"), bearer])
        is_problem(await attacker.exchange(request), {400, 404})


async def test_attack_20_a_whole_url_as_target_is_judged_by_its_path_alone(
    attacker: Attacker, cast: Cast
) -> None:
    target = "GET http://evil.example/v1/inbox HTTP/1.1"
    is_problem(await attacker.exchange(head(target)), {400, 401})
    bearer = ("Authorization", f"Bearer {cast.ours.token(Role.AGENT)}")
    answer = await attacker.exchange(head(target, [("Host", "a"), bearer]))
    assert answer.status in {200, 400, 404}
    assert "evil" not in str(answer.headers)


async def test_attack_27_no_extension_is_negotiated_and_a_compressed_frame_ends_it(
    attacker: Attacker,
) -> None:
    offers = (
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits; server_no_context_takeover",
        "x-webkit-deflate-frame",
    )
    for offer in offers:
        wire = await attacker.wire()
        await wire.send(upgrade(("Sec-WebSocket-Extensions", offer)))
        answer = await wire.answer()
        assert answer.status == 101
        assert "sec-websocket-extensions" not in answer.headers
        await wire.send(frame(b"\x00" * 1_000, first=0x40))
        assert await wire.close_code() == CloseCode.PROTOCOL


async def test_attack_56_no_page_of_another_site_may_read_an_answer(
    attacker: Attacker, cast: Cast
) -> None:
    token = cast.ours.token(Role.AGENT)
    for origin in ("null", EVIL, attacker.url + ".evil.example", "*"):
        headers = {"Origin": origin, "Cookie": "session=1"}
        read = await attacker.ask("GET", "/v1/inbox", token=token, headers=headers)
        preflight = await attacker.ask(
            "OPTIONS",
            "/v1/inbox",
            headers=headers | {"Access-Control-Request-Method": "DELETE"},
        )
        for answer in (read, preflight):
            assert not FORBIDDEN_TO_PAGES & set(answer.headers)
        assert not preflight.is_success


async def test_attack_67_every_answer_forbids_framing_sniffing_and_storing(
    attacker: Attacker, cast: Cast
) -> None:
    token = cast.ours.token(Role.AGENT)
    answers = [
        await attacker.ask("GET", "/v1/inbox", token=token),
        await attacker.ask("GET", "/v1/inbox"),
        await attacker.ask("GET", "/nowhere"),
        await attacker.ask("GET", "/openapi.json"),
        await attacker.ask("POST", "/v1/sessions", content=b"{"),
        await attacker.ask("HEAD", "/v1/inbox", token=token),
        await attacker.ask("GET", "/v1/orders", token=token),
        await attacker.ask("OPTIONS", "/v1/inbox"),
    ]
    for answer in answers:
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value, (answer.request.url, name)
        assert "server" not in answer.headers
        assert "x-powered-by" not in answer.headers
    with pytest.raises(WSInvalidStatusError) as refused:
        await attacker.dial(headers={"Origin": EVIL})
    shown = refused.value.response
    assert shown is not None
    for name, value in SECURITY_HEADERS.items():
        assert shown.headers[name] == value
