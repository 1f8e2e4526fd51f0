"""Which pages may speak to this door: its own under its own names, and listed ones."""

from collections.abc import Sequence

import pytest

from services.gateway.hosts import BadOrigin, Hosts, is_loopback, port_of
from services.gateway.settings import Settings

pytestmark = pytest.mark.unit

LISTED = "https://desk.other.example"
HOSTS = Hosts(names=frozenset({"desk.example"}), origins=frozenset({LISTED}))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://desk.example", "desk.example"),
        ("https://desk.example:8443", "desk.example:8443"),
        ("https://desk.example", "DESK.example"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://localhost:8000", "localhost:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_its_own_pages_are_allowed(origin: str, host: str) -> None:
    HOSTS.check([origin], host)
    HOSTS.check([origin], host, own_alone=True)


def test_a_listed_page_is_allowed_but_not_where_only_own_ones_are() -> None:
    HOSTS.check([LISTED], "desk.example")
    with pytest.raises(BadOrigin):
        HOSTS.check([LISTED], "desk.example", own_alone=True)


@pytest.mark.parametrize(
    ("origins", "host"),
    [
        pytest.param([], "desk.example", id="a program"),
        pytest.param(["https://desk.example"] * 2, "desk.example", id="said twice"),
        pytest.param(["https://evil.example"], "desk.example", id="a foreign page"),
        pytest.param(["https://evil.example"], "evil.example", id="a rebound name"),
        pytest.param(["http://evil.example:8000"], "evil.example:8000", id="rebound to a port"),
        pytest.param(["https://desk.example:1"], "desk.example", id="another port"),
        pytest.param(["https://desk.example.evil"], "desk.example", id="a longer name"),
        pytest.param(["https://x@desk.example"], "desk.example", id="somebody at our name"),
        pytest.param(["https://x@desk.example"], "x@desk.example", id="the same as a host"),
        pytest.param(["https://desk.example/"], "desk.example", id="an address"),
        pytest.param(["null"], "desk.example", id="a sandboxed page"),
        pytest.param(["file://"], "", id="a file"),
        pytest.param(["desk.example"], "desk.example", id="no scheme"),
        pytest.param(["chrome-extension://desk.example"], "desk.example", id="an extension"),
        pytest.param(["http://[::1"], "[::1", id="no host at all"),
    ],
)
def test_other_pages_are_refused(origins: Sequence[str], host: str) -> None:
    with pytest.raises(BadOrigin):
        HOSTS.check(origins, host, own_alone=True)


def test_names_are_told_by_the_settings() -> None:
    hosts = Settings(allowed_hosts="Desk.example, ,agents.example", allowed_origins=LISTED).hosts

    assert hosts == Hosts(frozenset({"desk.example", "agents.example"}), frozenset({LISTED}))


@pytest.mark.parametrize(
    ("host", "port", "loopback"),
    [
        ("desk.example", "", False),
        ("desk.example:8443", "8443", False),
        ("127.0.0.1:8000", "8000", True),
        ("[::1]:8000", "8000", True),
        ("localhost", "", True),
        ("localhost.example:1", "1", False),
        ("desk.example:port", "", False),
    ],
)
def test_a_host_tells_its_port_and_whether_it_is_this_machine(
    host: str, port: str, *, loopback: bool
) -> None:
    assert (port_of(host), is_loopback(host)) == (port, loopback)
