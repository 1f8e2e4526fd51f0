"""What every application refuses, and what every answer carries.

Attack table, rows 18, 20, 21, 25, 41, 49, 55 to 57, 60, 67.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
import structlog
from fastapi import APIRouter, Depends, FastAPI, Query

from kit.clock import ManualClock
from kit.errors import Conflict, NotFound, TooMany, Unavailable
from kit.metrics import Metrics
from kit.telemetry import Tracing
from kit.web.app import Body, create_app
from kit.web.auth import (
    Caller,
    KeyPair,
    Principal,
    ServiceCaller,
    ServiceTokens,
    TokenIssuer,
    TokenVerifier,
    generate_keypair,
    require,
)
from kit.web.edge import BODY_LIMIT, QUERY_LIMIT, SECURITY_HEADERS

pytestmark = pytest.mark.unit

JSON = {"content-type": "application/json"}


class Rename(Body):
    name: str
    tags: tuple[str, ...] = ()


class Locked(Conflict):
    slug, title = "locked", "It is locked"


router = APIRouter(prefix="/v1")


@router.get("/things/{number}")
async def thing(number: int, limit: Annotated[int, Query(le=200)] = 50) -> dict[str, int]:
    if number == 404:
        raise NotFound
    return {"number": number, "limit": limit}


@router.put("/things/{number}")
async def rename(number: int, body: Rename) -> dict[str, str]:
    return {"name": body.name}


@router.get("/locked")
async def locked() -> None:
    raise Locked("Wait for its owner.", owner="a1", status=999)


@router.get("/busy")
async def busy() -> None:
    raise TooMany(retry_after=7)


@router.get("/away")
async def away() -> None:
    raise Unavailable


@router.get("/bug")
async def bug() -> None:
    raise RuntimeError("internal detail /etc/passwd")


@router.get("/me")
async def me(caller: Caller) -> dict[str, str]:
    return {"subject": caller.subject}


@router.get("/board")
async def board(caller: Annotated[Principal, Depends(require("supervisor"))]) -> dict[str, str]:
    return {"subject": caller.subject}


@router.get("/neighbour")
async def neighbour(caller: ServiceCaller) -> dict[str, str]:
    return {"subject": caller.subject}


@pytest.fixture(scope="module")
def keys() -> KeyPair:
    return generate_keypair()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def app(keys: KeyPair, clock: ManualClock, metrics: Metrics) -> FastAPI:
    return create_app(
        title="Things",
        version="1",
        routers=[router],
        clock=clock,
        verifier=TokenVerifier(keys.public, clock),
        service_verifier=TokenVerifier(keys.public, clock, "peakdesk.internal"),
        revoked=lambda principal: principal.subject == "fired",
        metrics=metrics,
        allowed_origins=["https://shop.example"],
    )


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """The log lines of the test, kept from the terminal."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk.example") as client:
        yield client


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Check that the answer is a problem document and nothing but one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    shown: dict[str, Any] = answer.json()
    assert shown["code"] == code
    assert shown["type"] == f"urn:peakdesk:problem:{code}"
    assert shown["status"] == status
    assert shown["title"]
    assert shown["detail"]
    assert shown["trace_id"] == answer.headers["x-trace-id"]
    for inner in ("Traceback", "site-packages", "Error(", "/etc/passwd", "File "):
        assert inner not in answer.text
    return shown


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_a_good_request_is_answered(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/things/7")
    assert answer.json() == {"number": 7, "limit": 50}
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/things/404", 404, "not_found"),
        ("/nothing", 404, "not_found"),
        ("/v1/things/7/", 404, "not_found"),
        ("/docs", 404, "not_found"),
        ("/redoc", 404, "not_found"),
        ("/metrics", 404, "not_found"),
        ("/internal/conversations/1", 404, "not_found"),
        ("/v1/things/x", 422, "invalid"),
        ("/v1/things/7?limit=1000000000", 422, "invalid"),
        ("/v1/things/7?limit=9223372036854775808000", 422, "invalid"),
        ("/v1/locked", 409, "locked"),
        ("/v1/busy", 429, "too_many"),
        ("/v1/away", 503, "unavailable"),
        ("/v1/bug", 500, "internal"),
        ("/v1/things/7?x=%00", 422, "invalid"),
        ("/v1/things/7%00", 422, "invalid"),
        ("/v1/things/7?x=%ff", 422, "invalid"),
        ("/v1/things/7?x=" + "y" * QUERY_LIMIT, 422, "invalid"),
    ],
)
async def test_every_failure_is_a_problem_document(
    client: httpx2.AsyncClient, path: str, status: int, code: str
) -> None:
    answer = await client.get(path)
    problem(answer, status, code)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value


async def test_a_failure_says_what_it_adds_but_not_what_is_not_its_own(
    client: httpx2.AsyncClient,
) -> None:
    shown = problem(await client.get("/v1/locked"), 409, "locked")
    assert shown["detail"] == "Wait for its owner."
    assert shown["owner"] == "a1"


async def test_a_limit_says_when_to_come_back(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/v1/busy")).headers["retry-after"] == "7"
    assert (await client.get("/v1/away")).headers["retry-after"] == "1"


async def test_faults_are_named_by_their_place(client: httpx2.AsyncClient) -> None:
    answer = await client.put("/v1/things/7", json={"tags": ["ok", 1], "price_fen": 1})
    shown = problem(answer, 422, "invalid")
    places = {fault["pointer"] for fault in shown["errors"]}
    assert places == {"#/name", "#/tags/1", "#/price_fen"}

    answer = await client.get("/v1/things/7?limit=1000")
    assert problem(answer, 422, "invalid")["errors"][0]["parameter"] == "limit"


async def test_what_was_sent_is_not_repeated(client: httpx2.AsyncClient) -> None:
    answer = await client.put("/v1/things/7", json={"name": 13800138000})
    problem(answer, 422, "invalid")
    assert "13800138000" not in answer.text


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{", JSON, 422, "bad_json"),
        (b'{"name": "a", "name": "b"}', JSON, 422, "bad_json"),
        (b'{"name": NaN}', JSON, 422, "bad_json"),
        (b"[" * 10_000, JSON, 422, "bad_json"),
        (rb'{"name": "\u0000"}', JSON, 422, "bad_text"),
        (rb'{"name": "\ud800"}', JSON, 422, "bad_text"),
        (b"[]", JSON, 422, "invalid"),
        (b"null", JSON, 422, "invalid"),
        (b"", JSON, 422, "invalid"),
        (b'{"name": "a"}', {}, 415, "unsupported_media_type"),
        (b"name=a", {"content-type": "application/x-www-form-urlencoded"}, 415, None),
        (b'{"name": "a"}', {"content-type": "text/json"}, 415, None),
        (b'{"name": "a"}', {**JSON, "content-encoding": "gzip"}, 415, None),
        (b'"' + b"x" * BODY_LIMIT + b'"', JSON, 413, "body_too_large"),
    ],
)
async def test_bodies_that_are_not_for_us(
    client: httpx2.AsyncClient,
    *,
    content: bytes,
    headers: Mapping[str, str],
    status: int,
    code: str | None,
) -> None:
    answer = await client.put("/v1/things/7", content=content, headers=headers)
    problem(answer, status, code or "unsupported_media_type")


async def test_a_body_is_counted_even_when_its_length_is_not_said(
    client: httpx2.AsyncClient,
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    answer = await client.put("/v1/things/7", content=endless(), headers=JSON)
    problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "application/vnd.x+json"])
async def test_json_by_another_name_is_read(client: httpx2.AsyncClient, media: str) -> None:
    content = json.dumps({"name": "亲"}).encode()
    answer = await client.put("/v1/things/7", content=content, headers={"content-type": media})
    assert answer.json() == {"name": "亲"}


@pytest.mark.parametrize(
    "host", ["a/?x", "x@y", "a b", "", "evil.com\\@desk", "a:b", "a:123456", "[::1", "ä.example"]
)
async def test_a_host_that_is_none_is_refused(client: httpx2.AsyncClient, host: str) -> None:
    headers = [("host", host.encode("latin-1"))]
    answer = await client.get("/v1/things/7", headers=[(b"host", headers[0][1])])
    problem(answer, 400, "bad_host")


@pytest.mark.parametrize("host", ["desk.example", "desk.example:8080", "127.0.0.1:1", "[::1]:80"])
async def test_a_host_that_is_one_is_accepted(client: httpx2.AsyncClient, host: str) -> None:
    assert (await client.get("/v1/things/7", headers={"host": host})).status_code == 200


async def test_two_hosts_are_refused(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/things/7", headers=[("host", "a"), ("host", "b")])
    problem(answer, 400, "bad_host")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "__init__", "get", "handle"])
async def test_unusual_methods_are_refused(client: httpx2.AsyncClient, method: str) -> None:
    class Raw(httpx2.Request):
        """A request whose method is sent as it is written."""

    request = Raw("GET", "http://desk.example/v1/things/7")
    request.method = method
    problem(await client.send(request), 405, "method_not_allowed")


async def test_a_known_method_that_the_route_lacks_names_the_others(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.delete("/v1/things/7")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize("name", ["token", "access_token", "Authorization", "%74oken"])
async def test_a_token_in_the_url_is_refused(client: httpx2.AsyncClient, name: str) -> None:
    problem(await client.get(f"/v1/me?{name}=x"), 400, "token_in_url")


async def test_a_token_opens_the_route(
    client: httpx2.AsyncClient, keys: KeyPair, clock: ManualClock
) -> None:
    issuer = TokenIssuer(keys.private, clock)
    token = issuer.issue(subject="a1", role="agent", shop_id="s1", name="")

    assert (await client.get("/v1/me", headers=bearer(token))).json() == {"subject": "a1"}
    problem(await client.get("/v1/board", headers=bearer(token)), 403, "forbidden")
    problem(await client.get("/v1/neighbour", headers=bearer(token)), 401, "bad_token")
    clock.advance(1_000)
    problem(await client.get("/v1/me", headers=bearer(token)), 401, "token_expired")


async def test_without_a_good_token_nobody_enters(
    client: httpx2.AsyncClient, keys: KeyPair, clock: ManualClock
) -> None:
    for headers in ({}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}):
        answer = await client.get("/v1/me", headers=headers)
        problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    problem(await client.get("/v1/me", headers=bearer("x.y.z")), 401, "bad_token")
    fired = TokenIssuer(keys.private, clock).issue(
        subject="fired", role="agent", shop_id="s1", name=""
    )
    problem(await client.get("/v1/me", headers=bearer(fired)), 401, "bad_token")


async def test_a_service_token_opens_internal_routes_alone(
    client: httpx2.AsyncClient, keys: KeyPair, clock: ManualClock
) -> None:
    token = ServiceTokens(keys.private, "gateway", clock).current()
    answer = await client.get("/v1/neighbour", headers=bearer(token))
    assert answer.json() == {"subject": "gateway"}
    problem(await client.get("/v1/me", headers=bearer(token)), 401, "bad_token")


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "https://shop.example.evil.com", "http://shop.example"],
)
async def test_a_foreign_origin_is_told_nothing(client: httpx2.AsyncClient, origin: str) -> None:
    answer = await client.get("/v1/things/7", headers={"origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    asked = {"origin": origin, "access-control-request-method": "PUT"}
    preflight = await client.options("/v1/things/7", headers=asked)
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers


async def test_a_listed_origin_may_read_but_sends_no_cookies(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/things/7", headers={"origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-credentials" not in answer.headers


def test_every_origin_is_never_listed(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="name each origin"):
        create_app(title="t", version="1", routers=[], clock=clock, allowed_origins=["*"])


async def test_a_trace_goes_on_from_the_callers(client: httpx2.AsyncClient) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    assert (await client.get("/v1/things/7", headers=headers)).headers["x-trace-id"] == trace
    for broken in ("", "00-0-0-0", f"00-{'0' * 32}-00f067aa0ba902b7-01", "x" * 100):
        answer = await client.get("/v1/things/7", headers={"traceparent": broken})
        assert len(answer.headers["x-trace-id"]) == 32
        assert answer.headers["x-trace-id"] != trace


async def test_a_traced_application_writes_the_span_of_the_answer(
    clock: ManualClock, tmp_path: Path
) -> None:
    tracing = Tracing("things", str(tmp_path / "spans.jsonl"))
    app = create_app(title="t", version="1", routers=[router], clock=clock, tracing=tracing)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk.example") as client:
        trace = (await client.get("/v1/things/7")).headers["x-trace-id"]
    tracing.close()
    spans = [json.loads(line) for line in (tmp_path / "spans.jsonl").read_text().splitlines()]
    assert {span["context"]["trace_id"] for span in spans} == {f"0x{trace}"}
    assert "GET /v1/things/{number}" in {span["name"] for span in spans}


async def test_metrics_know_templates_and_no_paths(
    client: httpx2.AsyncClient, metrics: Metrics
) -> None:
    await client.get("/v1/things/7")
    before = metrics.render().count(b"\n")
    for number in range(50):
        await client.get(f"/v1/things/{number}")
        await client.get(f"/random/{number}")
        await client.get(f"/random/{number}?token=x")
    shown = metrics.render().decode()
    assert 'route="/v1/things/{number}"' in shown
    assert 'route="(unmatched)"' in shown
    assert "/random" not in shown
    assert shown.count("\n") - before < 50  # two new series of a dozen buckets each


async def test_a_request_is_one_line_without_its_query(
    client: httpx2.AsyncClient, logged: list[MutableMapping[str, Any]]
) -> None:
    await client.get("/v1/me?token=canary")
    await client.get("/v1/bug?x=canary")
    assert [line["event"] for line in logged] == ["http.request", "http.failed", "http.request"]
    assert [line.get("status") for line in logged] == [400, None, 500]
    assert "canary" not in str(logged)


async def test_the_description_names_the_problem_document(client: httpx2.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    assert schema["openapi"].startswith("3.1")
    assert "Problem" in schema["components"]["schemas"]
    answers = schema["paths"]["/v1/things/{number}"]["get"]["responses"]
    assert "application/problem+json" in answers["default"]["content"]
    assert "422" not in answers
