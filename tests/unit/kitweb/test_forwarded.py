"""Whose request it is, behind no proxy, one proxy and a chain of them (H42)."""

import pytest

from kit.settings import ServiceSettings
from kit.web.forwarded import HOPS_LIMIT, TrustedProxies, neighbourhood

pytestmark = pytest.mark.unit

PROXIES = TrustedProxies("10.0.0.0/24, 192.0.2.7,2001:db8::/64")
CLIENT = "203.0.113.9"


@pytest.mark.parametrize(
    ("peer", "chain", "client"),
    [
        ("10.0.0.1", ["203.0.113.9"], CLIENT),
        ("10.0.0.1", ["1.2.3.4, 203.0.113.9"], CLIENT),
        ("10.0.0.1", ["1.2.3.4", "203.0.113.9"], CLIENT),  # HAProxy adds a line of its own
        ("10.0.0.1", ["1.2.3.4", "203.0.113.9, 10.0.0.2", "192.0.2.7"], CLIENT),
        ("10.0.0.1", ["10.0.0.9, 203.0.113.9,10.0.0.2"], CLIENT),
        ("10.0.0.1", [" 203.0.113.9 \t"], CLIENT),
        ("10.0.0.1", ["203.0.113.9:51000"], CLIENT),
        ("10.0.0.1", ["::ffff:203.0.113.9"], CLIENT),
        ("::ffff:10.0.0.1", ["203.0.113.9"], CLIENT),
        ("2001:db8::1", ["[2001:db8:1::5]:443"], "2001:db8:1::5"),
        ("10.0.0.1", ["2001:DB8:1::0005"], "2001:db8:1::5"),
        # nobody else is believed
        ("203.0.113.9", ["1.2.3.4"], CLIENT),
        ("203.0.113.9", [], CLIENT),
        ("10.0.1.1", ["1.2.3.4"], "10.0.1.1"),
        # a chain that breaks off ends at the last proxy
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["1.2.3.4, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4, _hidden, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["1.2.3.4,"], "10.0.0.1"),
        ("10.0.0.1", ["\xff\x80"], "10.0.0.1"),
        ("10.0.0.1", [", ".join(["1.2.3.4"] + ["10.0.0.2"] * HOPS_LIMIT)], "10.0.0.2"),
        ("", ["1.2.3.4"], ""),
        ("unix", ["1.2.3.4"], "unix"),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_proxy(
    peer: str, chain: list[str], client: str
) -> None:
    lines = [(b"x-forwarded-for", line.encode("latin-1")) for line in chain]
    assert PROXIES.client_of(peer, [(b"host", b"desk"), *lines]) == client


def test_nobody_is_trusted_unless_named() -> None:
    lines = [(b"x-forwarded-for", b"1.2.3.4")]
    assert TrustedProxies().client_of("127.0.0.1", lines) == "127.0.0.1"
    assert "127.0.0.1" not in TrustedProxies(" , ")
    assert "10.0.0.200" in PROXIES


@pytest.mark.parametrize(
    "text", ["*", "10.0.0.1/8", "proxy.example", "10.0.0.0/33", "10.0.0.0/24;"]
)
def test_what_is_no_network_stops_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="PEAKDESK_TRUSTED_PROXIES must be addresses or networks"):
        ServiceSettings(trusted_proxies=text)


def test_a_subscriber_of_ipv6_counts_as_one() -> None:
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1") == "2001:db8::/64"
    assert neighbourhood("2001:db8:0:1::1") != neighbourhood("2001:db8::1")
    assert neighbourhood("203.0.113.9") == "203.0.113.9"
