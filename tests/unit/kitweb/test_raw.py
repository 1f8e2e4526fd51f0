"""The one route whose bodies are no JSON: what it takes, and that nothing else is let in by it."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import APIRouter, Request

from kit.clock import ManualClock
from kit.web.app import create_app
from kit.web.edge import BODY_LIMIT
from kit.web.raw import RawBodies
from tests.unit.kitweb.sample import JSON, problem

pytestmark = pytest.mark.unit

MOST = 2 * BODY_LIMIT
RAW = RawBodies(
    path=re.compile(r"/v1/talks/[^/]{1,64}/files"),
    kinds=frozenset({"image/png"}),
    most=MOST,
    arrival_s=60.0,
    wanted="Send a PNG.",
)
PNG = {"content-type": "image/png"}

router = APIRouter(prefix="/v1")


@router.post("/talks/{talk}/files")
@router.post("/talks/{talk}/words")
@router.put("/talks/{talk}/files")
async def size(talk: str, request: Request) -> dict[str, int]:
    return {talk: len(await request.body())}


@pytest.fixture
async def door() -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(title="t", version="1", routers=[router], clock=ManualClock(), raw=RAW)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client


@pytest.mark.parametrize("said", ["image/png", "IMAGE/PNG", "image/png; name=x"])
async def test_a_file_of_a_kind_that_is_taken_comes_whole(
    door: httpx2.AsyncClient, said: str
) -> None:
    body = b"\x00\xff" * (MOST // 2)
    answer = await door.post("/v1/talks/a/files", content=body, headers={"content-type": said})
    assert answer.json() == {"a": MOST}


async def test_a_file_over_its_limit_is_refused(door: httpx2.AsyncClient) -> None:
    answer = await door.post("/v1/talks/a/files", content=b"x" * (MOST + 1), headers=PNG)
    assert str(MOST) in problem(answer, 413, "body_too_large")["detail"]


@pytest.mark.parametrize("said", ["image/svg+xml", "application/json", "text/html", ""])
async def test_another_kind_is_refused_and_told_what_is_taken(
    door: httpx2.AsyncClient, said: str
) -> None:
    answer = await door.post("/v1/talks/a/files", content=b"{}", headers={"content-type": said})
    assert problem(answer, 415, "unsupported_media_type")["detail"] == "Send a PNG."


async def test_an_empty_file_is_refused(door: httpx2.AsyncClient) -> None:
    problem(await door.post("/v1/talks/a/files", headers=PNG), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/talks/a/words"), ("PUT", "/v1/talks/a/files"), ("POST", "/v1/talks//files")],
)
async def test_every_other_route_takes_json_alone(
    door: httpx2.AsyncClient, method: str, path: str
) -> None:
    answer = await door.request(method, path, content=b"\x89PNG", headers=PNG)
    problem(answer, 415, "unsupported_media_type")
    large = b'"' + b"x" * BODY_LIMIT + b'"'
    answer = await door.request(method, path, content=large, headers=JSON)
    problem(answer, 413, "body_too_large")
