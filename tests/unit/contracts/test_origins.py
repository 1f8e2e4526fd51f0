"""Which sites may be named to show a page of ours: nothing that a header could misread."""

import pytest

from contracts.origins import may_embed

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example",
        "https://shop.example:8443",
        "https://xn--fiqs8s.example",
        "https://a-b.c1.example",
        "http://localhost:3000",
        "http://127.0.0.1",
    ],
)
def test_one_site_over_https_or_of_this_machine_may(origin: str) -> None:
    assert may_embed(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "*",
        "https:",
        "https://",
        "https://*",
        "https://*.example",
        "http://shop.example",
        "http://localhost.evil.example",
        "https://shop.example/",
        "https://shop.example/path",
        "https://SHOP.example",
        "https://商店.example",
        "https://user@shop.example",
        "https://-shop.example",
        "https://shop..example",
        "https://shop.example:port",
        "https://shop.example:123456",
        "https://shop.example; script-src *",
        "https://shop.example https://evil.example",
        "https://shop.example\nset-cookie: a=b",
        "https://shop.example\n",
        "'self'",
        "data:",
        "null",
        f"https://{'a.' * 100}example",
    ],
)
def test_whatever_is_not_one_site_may_not(origin: str) -> None:
    assert not may_embed(origin)
