"""A shop's chat: which sites may show it, what it shows to everybody, and a shop to try it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from contracts.conversation import ShopListed
from contracts.people import PLATFORM, ShopId
from kit.bus.ports import Record, message_of
from kit.clock import SystemClock
from kit.ids import derived_id
from kit.web.app import create_app
from services.gateway.hosts import Hosts
from services.gateway.hub import Directory
from services.gateway.pages import assets
from services.gateway.pages.answers import PAGE_POLICY
from services.gateway.pages.widget import WidgetPages
from services.gateway.rest.widget import widget_router

pytestmark = pytest.mark.unit

SHOP = ShopId("shop-1")
SITE = "https://shop.example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What was built of the chat."""
    for name in ("widget.html", "widget.js", "demo-shop.html"):
        (tmp_path / name).write_text(f"{name} 峰", encoding="utf-8")
    return tmp_path


def listed(shop_id: str = SHOP, *, version: int = 1, **said: Any) -> Record:
    event = ShopListed(
        id=derived_id("event", shop_id, str(version)),
        time=datetime(2026, 11, 11, tzinfo=UTC),
        shop_id=ShopId(shop_id),
        name="示范旗舰店",
        version=version,
        **said,
    )
    message = message_of(event)
    return Record("directory", 0, version, 0, message.key, message.value, message.headers)


def browser(
    folder: Path,
    *entries: Record,
    with_demo: bool = True,
    base_url: str = "http://127.0.0.1:7300",
) -> TestClient:
    """Return a browser, asking a gateway that has read these entries of the directory."""
    directory = Directory()
    for entry in entries:
        directory.apply(entry)
    pages = WidgetPages(
        assets.read(folder), Hosts(), visited=directory.visited, with_demo=with_demo
    )
    application = create_app(
        title="Pages",
        version="1",
        routers=[pages.router(), widget_router(directory)],
        clock=SystemClock(),
    )
    return TestClient(application, base_url=base_url)


def ancestors(client: TestClient, shop_id: str = SHOP) -> Sequence[str]:
    """Return who may show the shop's frame."""
    answer = client.get(f"/widget/{shop_id}")
    assert answer.status_code == 200
    assert "x-frame-options" not in answer.headers
    rules = dict(
        rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; ")
    )
    return rules["frame-ancestors"].split()


def test_a_frame_is_shown_by_our_pages_and_by_the_sites_that_the_shop_named(folder: Path) -> None:
    client = browser(folder, listed(widget_origins=[SITE, "http://localhost:3000"]))

    assert ancestors(client) == ["'self'", SITE, "http://localhost:3000"]
    assert client.get(f"/widget/{SHOP}").text == "widget.html 峰"


def test_a_shop_that_named_no_site_is_shown_by_our_pages_alone(folder: Path) -> None:
    assert ancestors(browser(folder, listed())) == ["'self'"]


def test_the_newest_choice_holds(folder: Path) -> None:
    client = browser(folder, listed(widget_origins=[SITE]), listed(version=2))

    assert ancestors(client) == ["'self'"]


def test_a_page_that_was_kept_is_the_same_only_while_the_same_sites_may_show_it(
    folder: Path,
) -> None:
    before = browser(folder, listed(widget_origins=[SITE]))
    kept = {"if-none-match": before.get(f"/widget/{SHOP}").headers["etag"]}

    assert before.get(f"/widget/{SHOP}", headers=kept).status_code == 304
    after = browser(folder, listed(widget_origins=[SITE]), listed(version=2))
    assert after.get(f"/widget/{SHOP}", headers=kept).status_code == 200


def test_what_is_no_site_gets_into_no_header(folder: Path) -> None:
    bad = ["*", "https://a.example; script-src *", "https://a.example\r\nset-cookie: a=b", SITE]

    assert ancestors(browser(folder, listed(widget_origins=bad))) == ["'self'", SITE]


@pytest.mark.parametrize("shop_id", ["nobody", PLATFORM, "closed", "..%2fx"])
def test_a_shop_that_lets_nobody_in_has_no_chat(folder: Path, shop_id: str) -> None:
    client = browser(folder, listed(), listed("closed", active=False), listed(PLATFORM))

    for path in (f"/widget/{shop_id}", f"/v1/widget/{shop_id}"):
        assert client.get(path).status_code == 404


def test_everybody_is_told_the_shops_name_and_greeting_and_no_more(folder: Path) -> None:
    client = browser(
        folder, listed(widget_greeting="您好", widget_origins=[SITE], wording_terms=["竞品"])
    )

    shown = client.get(f"/v1/widget/{SHOP}").json()

    assert shown == {"shop_id": SHOP, "name": "示范旗舰店", "greeting": "您好"}


def test_any_site_loads_the_script_and_asks_each_time_whether_it_is_the_newest(
    folder: Path,
) -> None:
    answer = browser(folder).get("/widget.js")

    assert answer.text == "widget.js 峰"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-security-policy"] == PAGE_POLICY


def test_a_shop_to_try_it_is_there_but_not_in_production(folder: Path) -> None:
    shown = browser(folder).get("/demo-shop")

    assert shown.text == "demo-shop.html 峰"
    assert "frame-src 'self'" in shown.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["x-frame-options"] == "DENY"
    assert browser(folder, with_demo=False).get("/demo-shop").status_code == 404


def test_under_a_foreign_name_there_is_no_chat(folder: Path) -> None:
    client = browser(folder, listed(), base_url="http://evil.example:7300")

    for path in (f"/widget/{SHOP}", "/demo-shop"):
        assert client.get(path).status_code == 421
    assert client.get("/widget.js").status_code == 200


def test_without_built_pages_there_is_nothing(tmp_path: Path) -> None:
    client = browser(tmp_path / "absent", listed())

    for path in (f"/widget/{SHOP}", "/widget.js", "/demo-shop"):
        assert client.get(path).status_code == 404
