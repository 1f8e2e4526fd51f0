"""A query parameter that a route does not know (H46)."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, Query, Request
from pydantic import Field

from kit.clock import ManualClock
from kit.metrics import Metrics
from kit.web.app import Body, create_app
from kit.web.health import Health, create_admin
from kit.web.paging import PAGE_DEFAULT, CursorText, Limit
from tests.unit.kitweb.sample import problem

pytestmark = pytest.mark.unit


class Stretch(Body):
    start: str = Field(alias="from")


@pytest.fixture
def app(clock: ManualClock) -> FastAPI:
    things = APIRouter(prefix="/things")

    @things.get("")
    async def listed(
        state: str | None = None, limit: Limit = PAGE_DEFAULT, cursor: CursorText = None
    ) -> str:
        return f"{state} {limit} {cursor}"

    @things.get("/{number}")
    async def one(number: int) -> int:
        return number

    @things.get("/{number}/figures")
    async def figures(number: int, asked: Annotated[Stretch, Query()]) -> str:
        return f"{number} {asked.start}"

    @things.post("/hooks")
    async def hooked() -> bool:
        return True

    @things.get("/passed/{path:path}", include_in_schema=False)
    async def passed(request: Request, path: str) -> str:
        return f"{path}?{request.url.query}"

    outer = APIRouter(prefix="/v1")
    outer.include_router(things)
    return create_app(title="t", version="1", clock=clock, routers=[outer])


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk.example") as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/v1/things",
        "/v1/things?state=open&limit=3&cursor=abc",
        "/v1/things/7",
        "/v1/things/7/figures?from=2026-11-11",
        "/v1/things/passed/a/b?anything=goes",
    ],
)
async def test_what_a_route_knows_is_taken(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/things?stat=open", ["stat"]),
        ("/v1/things?State=open", ["State"]),
        ("/v1/things?state=open&offset=3&agent=", ["agent", "offset"]),
        ("/v1/things/7?state=open", ["state"]),
        ("/v1/things/7/figures?from=2026-11-11&start=x", ["start"]),
        ("/v1/things?" + "y" * 500, ["y" * 79 + "…"]),
    ],
)
async def test_a_mistyped_filter_is_refused_by_its_name(
    client: httpx2.AsyncClient, path: str, named: list[str]
) -> None:
    shown = problem(await client.get(path), 422, "invalid")
    assert [fault["parameter"] for fault in shown["errors"]] == named


async def test_a_refusal_says_what_the_route_knows(client: httpx2.AsyncClient) -> None:
    (fault,) = (await client.get("/v1/things?stat=open")).json()["errors"]
    assert fault["detail"] == "This route knows no such parameter, but: cursor, limit, state"


async def test_a_webhooks_sender_may_add_to_the_address(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/v1/things/hooks?campaign=1111")).status_code == 200


async def test_a_neighbour_of_the_next_release_may_ask_for_more(clock: ManualClock) -> None:
    admin = create_admin(title="t", version="1", clock=clock, health=Health(), metrics=Metrics())
    transport = httpx2.ASGITransport(admin)
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk.example") as client:
        assert (await client.get("/live?more=1")).status_code == 200
