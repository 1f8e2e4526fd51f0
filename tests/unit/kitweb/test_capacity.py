"""Counts of what is inside: connections and bytes of bodies (H42)."""

import pytest

from kit.errors import Unavailable
from kit.web.capacity import BODIES_LIMIT, BODIES_SHARE, Bodies, ConnectionLimits

pytestmark = pytest.mark.unit


def test_bodies_are_counted_in_all_and_per_address() -> None:
    bodies = Bodies(limit=10, share=6)
    bodies.take("a", 6)
    with pytest.raises(Unavailable) as refused:
        bodies.take("a", 1)
    assert refused.value.retry_after == 1
    bodies.take("b", 4)
    with pytest.raises(Unavailable):
        bodies.take("c", 1)
    assert bodies.total == 10
    bodies.give("a", 6)
    bodies.take("c", 6)
    bodies.give("b", 4)
    bodies.give("c", 6)
    bodies.give("nobody", 0)
    assert bodies.total == 0
    bodies.take("a", 6)


def test_one_address_cannot_fill_the_house() -> None:
    assert BODIES_LIMIT == 64 * 1024 * 1024
    assert BODIES_SHARE * 4 <= BODIES_LIMIT


def test_a_network_of_ipv6_is_one_address() -> None:
    bodies, connections = Bodies(limit=10, share=6), ConnectionLimits(unauthenticated=2)
    bodies.take("2001:db8::1", 6)
    with pytest.raises(Unavailable):
        bodies.take("2001:db8::2", 1)
    connections.unauthenticated("2001:db8::1")
    connections.unauthenticated("2001:db8::2")
    assert connections.crowded("2001:db8::3")
    assert not connections.crowded("2001:db8:0:1::3")
    connections.authenticated("2001:db8::9")
    assert not connections.crowded("2001:db8::3")


def test_connections_come_and_go() -> None:
    connections = ConnectionLimits(limit=2)
    seen = []
    for step in (connections.enter, connections.enter, connections.leave):
        step()
        seen.append(connections.full)
    assert seen == [False, True, False]
