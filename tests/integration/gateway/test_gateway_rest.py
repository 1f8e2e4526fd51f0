"""REST under one origin: what is passed on, what stays here, what a dead neighbour answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import JSONResponse, Response

from kit.bus.memory import MemoryBus
from kit.clock import SystemClock
from kit.metrics import Metrics
from kit.process import App, running
from kit.settings import ServiceSettings
from kit.web.app import create_app
from kit.web.auth import ServiceTokens
from kit.web.health import Health, create_admin
from kit.web.leaving import while_there
from services.gateway.history import HttpHistoryClient
from services.gateway.rest.neighbours import CONNECTIONS
from tests.integration.gateway.desk import Desk, opened
from tests.waiting import eventually
from tests.web import NO_TLS

pytestmark = pytest.mark.integration


ROUTES = (
    ("/v1/orders/{path:path}", "GET"),
    ("/v1/orders/{path:path}", "POST"),
    ("/v1/conversations/{path:path}", "GET"),
)


@dataclass
class Neighbour:
    """Stands where the services are and writes down what reaches it."""

    got: list[dict[str, Any]] = field(default_factory=list)
    waiting: int = 0

    def app(self) -> App:
        """Return it as a service."""
        router = APIRouter()

        async def echo(request: Request, path: str) -> Response:
            body = await request.body()
            self.got.append(
                {"method": request.method, "path": request.url.path, "query": request.url.query}
                | {"headers": dict(request.headers), "body": body.decode()}
                | {"lines": request.scope["headers"]}
            )
            headers = {"ETag": '"3"', "Retry-After": "7", "Server": "inner"}
            return JSONResponse({"path": path}, status_code=201, headers=headers)

        for number, (path, method) in enumerate(ROUTES):
            router.add_api_route(path, echo, methods=[method], name=f"echo_{number}")
        router.add_api_route("/v1/sessions", echo_of(self), methods=["POST"])
        router.add_api_route("/v1/sessions/refresh", patience_of(self), methods=["POST"])
        http = create_app(title="Neighbour", version="1", routers=[router], clock=SystemClock())
        return App(
            name="neighbour",
            settings=ServiceSettings(),
            http=http,
            admin=admin(),
            health=Health(),
        )


def echo_of(neighbour: Neighbour) -> Callable[[Request], Any]:
    """Return a route that takes a body without a token."""

    async def taken(request: Request) -> dict[str, bool]:
        body = (await request.body()).decode()
        neighbour.got.append({"path": "/v1/sessions", "body": body} | {"headers": request.headers})
        return {"taken": True}

    return taken


def patience_of(neighbour: Neighbour) -> Callable[[Request], Any]:
    """Return a route that answers nobody and counts who waits."""

    async def endless() -> None:
        neighbour.waiting += 1
        try:
            await asyncio.Event().wait()
        finally:
            neighbour.waiting -= 1

    async def patient(request: Request) -> None:
        await request.body()
        await while_there(request, endless())

    return patient


def admin() -> FastAPI:
    """Return an admin application."""
    return create_admin(
        title="n", version="1", clock=SystemClock(), health=Health(), metrics=Metrics()
    )


@pytest.fixture
def neighbour() -> Neighbour:
    """The services' stand-in."""
    return Neighbour()


@pytest.fixture
async def desk(neighbour: Neighbour) -> AsyncIterator[Desk]:
    """A gateway in front of it; monitor and aftersales are dead."""
    async with running(neighbour.app()) as inner:
        dead = "http://127.0.0.1:9"
        addresses: dict[str, Any] = {
            "conversation_url": inner.http,
            "orders_url": inner.http,
            "aftersales_url": dead,
            "monitor_url": dead,
        }
        async with opened(MemoryBus(partitions=1), **addresses) as found:
            yield found


@pytest.fixture
async def web(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with a good token."""
    headers = {"Authorization": f"Bearer {desk.token('a')}"}
    async with httpx2.AsyncClient(verify=NO_TLS, base_url=desk.url, headers=headers) as client:
        yield client


async def test_a_request_is_passed_on_without_what_others_could_forge(
    web: httpx2.AsyncClient, neighbour: Neighbour
) -> None:
    forged = {
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Host": "evil",
        "Forwarded": "for=1.2.3.4",
        "X-Peakdesk-User": "admin",
        "Connection": "x-secret",
        "Idempotency-Key": "k1",
        "If-Match": '"2"',
    }
    answer = await web.post("/v1/orders/a%20b?x=1&y=%E4%BD%A0", json={"n": 1}, headers=forged)

    assert answer.status_code == 201
    assert answer.json() == {"path": "a b"}
    assert (answer.headers["etag"], answer.headers["retry-after"]) == ('"3"', "7")
    assert "server" not in answer.headers
    got = neighbour.got[0]
    assert (got["query"], got["body"]) == ("x=1&y=%E4%BD%A0", '{"n":1}')
    assert got["headers"]["idempotency-key"] == "k1"
    assert got["headers"]["if-match"] == '"2"'
    assert got["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert got["headers"]["user-agent"] == web.headers["user-agent"]
    assert "traceparent" in got["headers"]
    assert not {"forwarded", "x-forwarded-host", "x-peakdesk-user"} & got["headers"].keys()


async def test_no_token_no_passage_but_for_how_one_gets_a_token(
    desk: Desk, neighbour: Neighbour
) -> None:
    async with httpx2.AsyncClient(verify=NO_TLS, base_url=desk.url) as stranger:
        assert (await stranger.get("/v1/orders/1")).status_code == 401
        assert (await stranger.get("/v1/conversations/1?token=x")).status_code == 400
        assert (await stranger.post("/v1/sessions", json={"login": "x"})).status_code == 200
        assert (await stranger.delete("/v1/sessions")).status_code == 401
    assert [got["path"] for got in neighbour.got] == ["/v1/sessions"]


async def test_exactly_the_token_that_was_verified_goes_on(
    desk: Desk, neighbour: Neighbour
) -> None:
    good, other = desk.token("a"), desk.token("b")
    async with httpx2.AsyncClient(verify=NO_TLS, base_url=desk.url) as client:
        for pair in ((good, other), (good, "x"), ("x", good)):
            lines = [("Authorization", f"Bearer {token}") for token in pair]
            answer = await client.get("/v1/orders/1", headers=lines)
            assert (answer.status_code, answer.json()["code"]) == (400, "repeated_header")
        assert neighbour.got == []

        lines = [("aUTHORIZATION", f"bEARER   {good}")]
        assert (await client.get("/v1/orders/1", headers=lines)).status_code == 201
        told = await client.post("/v1/sessions", json={}, headers={"Authorization": "Bearer x"})
        assert told.status_code == 200
    assert neighbour.got[0]["headers"]["authorization"] == f"Bearer {good}"
    assert "authorization" not in neighbour.got[1]["headers"]


async def test_bytes_outside_ascii_go_on_as_they_came(
    web: httpx2.AsyncClient, neighbour: Neighbour
) -> None:
    strange = [(b"Accept", b"text/\xe4\xba\xb2"), (b"Accept-Language", b"\xff\x80")]
    answer = await web.get("/v1/orders/1", headers=[*strange, (b"If-None-Match", b'"\xe9"')])

    assert answer.status_code == 201
    got = dict(neighbour.got[0]["lines"])
    assert got[b"accept"] == b"text/\xe4\xba\xb2"
    assert got[b"accept-language"] == b"\xff\x80"
    assert got[b"if-none-match"] == b'"\xe9"'
    for name in (b"Idempotency-Key", b"If-Match", b"Webhook-Id"):
        answer = await web.post("/v1/orders/1", headers=[(name, b"\xff")])
        assert (answer.status_code, answer.json()["code"]) == (400, "header_not_ascii")
    assert len(neighbour.got) == 1


async def test_who_leaves_before_the_answer_is_waited_for_no_more(
    desk: Desk, neighbour: Neighbour
) -> None:
    """More of them than the gateway has connections to services: each gives his back."""
    together = 20
    limits = httpx2.Limits(max_connections=together)
    async with httpx2.AsyncClient(verify=NO_TLS, base_url=desk.url, limits=limits) as stranger:
        for _ in range(CONNECTIONS // together + 1):
            leaving = [
                asyncio.create_task(stranger.post("/v1/sessions/refresh", json={}))
                for _ in range(together)
            ]
            await eventually(lambda: neighbour.waiting == together)
            for task in leaving:
                task.cancel()
            await eventually(lambda: neighbour.waiting == 0)

        assert (await stranger.post("/v1/sessions", json={"login": "x"})).status_code == 200


async def test_a_flood_of_slow_requests_keeps_no_socket_and_no_other_service_waiting(
    desk: Desk, web: httpx2.AsyncClient, neighbour: Neighbour
) -> None:
    service = desk.service
    history = HttpHistoryClient(
        service.history_pool,
        ServiceTokens(service.settings.service_private_key, "gateway", service.clock),
        conversation=service.settings.conversation_url,
        monitor="",
    )
    async with httpx2.AsyncClient(
        verify=NO_TLS, base_url=desk.url, limits=httpx2.Limits()
    ) as stranger:
        flood = [
            asyncio.create_task(stranger.post("/v1/sessions/refresh", json={}))
            for _ in range(CONNECTIONS + 20)
        ]
        await eventually(lambda: neighbour.waiting == CONNECTIONS)

        assert (await web.get("/v1/orders/1", timeout=10)).status_code == 201
        assert await history.message("m1") is None
        assert neighbour.waiting == CONNECTIONS
        for task in flood:
            task.cancel()


INSIDE = (
    "/internal/inbox/a",
    "/metrics",
    "/docs",
    "/v1",
    "/v1/",
    "/v1/internal/x",
    "/v1/nothing",
    "/v1/orders/%2e%2e/internal",
    "/v1/orders/..%2Finternal",
)


async def test_no_path_leads_inside(
    desk: Desk, web: httpx2.AsyncClient, neighbour: Neighbour
) -> None:
    for path in INSIDE:
        answer = await web.get(httpx2.URL(desk.url).copy_with(raw_path=path.encode()))
        assert answer.status_code == 404, path
        assert answer.json()["code"] == "not_found"
    assert neighbour.got == []


async def test_a_dead_service_answers_503_with_retry_after(web: httpx2.AsyncClient) -> None:
    answer = await web.get("/v1/monitor/board")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["code"] == "unavailable"


async def test_head_is_passed_on_as_get_and_answered_without_a_body(
    web: httpx2.AsyncClient, neighbour: Neighbour
) -> None:
    for path, status in (("/v1/limits", 200), ("/openapi.json", 200), ("/v1/orders/1", 201)):
        whole, bare = await web.get(path), await web.head(path)
        assert (whole.status_code, bare.status_code) == (status, status)
        assert bare.content == b""
        assert bare.headers["content-length"] == str(len(whole.content))
    assert [got["method"] for got in neighbour.got] == ["GET", "GET"]
    refused = await web.options("/v1/orders/1")
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert refused.headers["allow"] == "DELETE, GET, HEAD, PATCH, POST, PUT"


async def test_one_document_shows_all_public_routes(web: httpx2.AsyncClient) -> None:
    document = (await web.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert {"/v1/limits", "/v1/orders/{path}", "/v1/sessions"} <= document["paths"].keys()
    ids = [
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    ]
    assert len(ids) == len(set(ids))
    assert document["paths"]["/v1/limits"]["get"]["operationId"] == "gateway_socket_limits"


async def test_the_limits_of_the_socket_are_told_before_and_on_it(
    desk: Desk, web: httpx2.AsyncClient
) -> None:
    told = (await web.get("/v1/limits")).json()
    assert told == (await (await desk.phone("a")).of("ready"))["limits"]
    assert (told["frame_bytes"], told["text_chars"]) == (65_536, 2_000)
