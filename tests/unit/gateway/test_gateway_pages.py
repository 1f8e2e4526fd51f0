"""What browsers are served: places, files and how long they hold; everything else is not there."""

import gzip
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from kit.clock import SystemClock
from kit.web.app import create_app
from services.gateway.hosts import Hosts
from services.gateway.pages import assets
from services.gateway.pages.answers import PAGE_POLICY
from services.gateway.pages.routes import Pages

pytestmark = pytest.mark.unit

PAGE = "<!doctype html><title>峰</title>"
SCRIPT = "export const words = '你好';\n" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A console that was built."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "assets" / "main-1a2b.js").write_text(SCRIPT, encoding="utf-8")
    return tmp_path


def application(folder: Path, *, packed: bool = True) -> FastAPI:
    found = assets.read(folder)
    if packed:
        assets.pack(found.values())
    router = Pages(found, Hosts()).router()
    return create_app(title="Pages", version="1", routers=[router], clock=SystemClock())


@pytest.fixture
def client(folder: Path) -> TestClient:
    """A browser on this machine."""
    return TestClient(application(folder), base_url="http://127.0.0.1:7300")


@pytest.mark.parametrize("path", ["/", "/sign-in", "/desk", "/desk/0190-a", "/desk?view=mine"])
def test_every_place_is_the_same_page(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/internal/heads",
        "/docs",
        "/desks",
        "/index.html",
        "/assets",
        "/assets/",
        "/assets/gone-9f.js",
        "/assets/../index.html",
        "/built_from",
    ],
)
def test_everything_else_is_not_there_and_not_kept(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"accept": "text/html"})

    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_a_file_is_kept_for_ever_and_may_start_a_worker(client: TestClient) -> None:
    answer = client.get("/assets/main-1a2b.js", headers={"accept-encoding": "identity"})

    assert answer.text == SCRIPT
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-security-policy"] == PAGE_POLICY


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [("gzip, br", True), ("br, gzip;q=0.5", True), ("gzip;q=0", False), ("br", False)],
)
def test_a_file_is_packed_for_who_unpacks(
    client: TestClient, accepts: str, *, packed: bool
) -> None:
    with client.stream(
        "GET", "/assets/main-1a2b.js", headers={"accept-encoding": accepts}
    ) as answer:
        raw = b"".join(answer.iter_raw())

    assert ("content-encoding" in answer.headers) is packed
    assert (gzip.decompress(raw) if packed else raw).decode() == SCRIPT
    assert answer.headers["vary"] == "accept-encoding"


def test_before_it_is_packed_a_file_is_answered_as_it_is(folder: Path) -> None:
    client = TestClient(application(folder, packed=False), base_url="http://localhost")

    assert client.get("/assets/main-1a2b.js").text == SCRIPT


def test_who_has_this_version_is_told_so(client: TestClient) -> None:
    etag = client.get("/desk").headers["etag"]

    for listed in (etag, f'W/{etag}, "other"'):
        again = client.get("/desk", headers={"if-none-match": listed})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    assert client.get("/desk", headers={"if-none-match": '"other"'}).status_code == 200


def test_a_head_has_no_body_and_a_range_is_answered_whole(client: TestClient) -> None:
    head = client.head("/desk")
    ranged = client.get("/assets/main-1a2b.js", headers={"range": "bytes=0-3"})

    assert head.status_code == 200
    assert head.headers["etag"] == client.get("/desk").headers["etag"]
    assert (ranged.status_code, ranged.text) == (200, SCRIPT)


def test_under_a_foreign_name_there_is_no_page(folder: Path) -> None:
    client = TestClient(application(folder), base_url="http://evil.example:7300")

    answer = client.get("/sign-in")

    assert (answer.status_code, answer.json()["code"]) == (421, "wrong_host")


def test_without_a_console_there_is_nothing(tmp_path: Path) -> None:
    client = TestClient(application(tmp_path / "absent"), base_url="http://localhost")

    assert client.get("/").status_code == 404
    assert client.get("/sign-in").status_code == 404
