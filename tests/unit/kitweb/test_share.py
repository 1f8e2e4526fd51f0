"""What one connection holds of its listener's room, and that it gives everything back (H42)."""

import pytest

from kit.errors import AppError, Unavailable
from kit.web.capacity import Bodies, ConnectionLimits
from kit.web.share import ConnectionShare

pytestmark = pytest.mark.unit


class Room:
    """A listener with little room."""

    def __init__(self) -> None:
        self.connections = ConnectionLimits(limit=3, unauthenticated=1)
        self.bodies = Bodies(limit=10, share=8)

    def share(self, address: str = "a") -> ConnectionShare:
        return ConnectionShare(self.connections, self.bodies, address=address)


def slug_of(refused: AppError | None) -> str | None:
    return None if refused is None else refused.slug


def test_one_address_has_its_few_places_until_a_token_was_shown() -> None:
    room = Room()
    first, second = room.share(), room.share()
    assert first.enter(trusted=False) is None
    assert slug_of(second.enter(trusted=False)) == "too_many"
    assert room.share("b").enter(trusted=False) is None
    first.authenticated()
    assert second.enter(trusted=False) is None
    assert slug_of(room.share("c").enter(trusted=False)) == "unavailable"


def test_a_proxy_is_counted_in_all_alone() -> None:
    room = Room()
    assert [room.share().enter(trusted=True) for _ in range(3)] == [None] * 3
    assert slug_of(room.share().enter(trusted=True)) == "unavailable"
    assert not room.connections.crowded("a")


def test_who_found_no_place_gives_none_back() -> None:
    room = Room()
    room.share().enter(trusted=False)
    refused = room.share()
    refused.enter(trusted=False)
    refused.leave()
    assert room.connections.inside == 1
    assert room.connections.crowded("a")


def test_bytes_before_their_turn_are_counted_while_they_are_kept() -> None:
    room = Room()
    share = room.share()
    share.keep(b"one")
    share.keep(b"two")
    assert (share.keeps, room.bodies.total) == (True, 6)
    assert share.take_kept() == b"onetwo"
    assert (share.keeps, room.bodies.total) == (False, 0)


def test_more_bytes_than_may_be_kept_are_all_let_go() -> None:
    room = Room()
    share = room.share()
    share.keep(b"12345678")
    with pytest.raises(Unavailable):
        share.keep(b"9")
    assert (share.keeps, room.bodies.total) == (False, 0)


def test_leaving_gives_everything_back_once() -> None:
    room = Room()
    share = room.share()
    share.enter(trusted=False)
    share.keep(b"one")
    share.leave()
    share.leave()
    assert (room.connections.inside, room.bodies.total) == (0, 0)
    assert not room.connections.crowded("a")
