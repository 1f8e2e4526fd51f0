"""What every application refuses, and what every answer carries.

Attack table, rows 20, 21, 25, 41, 49, 55, 57, 60, 67.
"""

import json
from collections.abc import AsyncIterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kit.clock import ManualClock
from kit.metrics import Metrics
from kit.telemetry import Tracing
from kit.web.app import create_app
from kit.web.edge import BODY_LIMIT, QUERY_LIMIT, SECURITY_HEADERS
from tests.unit.kitweb.sample import JSON, problem, router

pytestmark = pytest.mark.unit


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
    for method in ("DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        answer = await client.request(method, "/v1/things/7")
        problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, HEAD, PUT"
    assert (await client.post("/v1/me", json={})).headers["allow"] == "GET, HEAD"
    assert (await client.request("TRACE", "/nothing")).headers["allow"] == ""


async def test_head_is_counted_as_itself(
    client: httpx2.AsyncClient, metrics: Metrics, logged: list[MutableMapping[str, Any]]
) -> None:
    assert (await client.head("/v1/things/7")).status_code == 200
    assert logged[-1]["method"] == "HEAD"
    assert 'method="HEAD",route="/v1/things/{number}",status="200"' in metrics.render().decode()


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
    await client.get("/v1/bug?seen=canary")
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
