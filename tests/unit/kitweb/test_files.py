"""How connections share a process's file limit (H42)."""

import resource

import pytest

from kit.process.files import OWN_FILES, Room, lifted, make_room, shared

pytestmark = pytest.mark.unit

ENDLESS = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "limit"),
    [
        (1_024, 524_288, 10_000),
        (1_024, 4_096, 4_096),
        (1_024, 1_024, 1_024),
        (20_000, 20_000, 20_000),
        (1_024, ENDLESS, 10_000),
        (ENDLESS, ENDLESS, ENDLESS),
    ],
)
def test_the_soft_limit_is_raised_as_far_as_is_wanted_and_allowed(
    soft: int, hard: int, limit: int
) -> None:
    assert lifted(10_000, soft=soft, hard=hard) == limit


@pytest.mark.parametrize(
    ("limit", "room"),
    [
        (ENDLESS, Room(50_000, 4_096)),
        (50_000 + 4_096 + OWN_FILES, Room(50_000, 4_096)),
        (20_000, Room(20_000 - OWN_FILES - 4_096, 4_096)),
        (1_024, Room(576, 192)),
        (256, Room(96, 32)),
    ],
)
def test_sockets_and_requests_share_what_there_is(limit: int, room: Room) -> None:
    found = shared(limit, sockets=50_000, http=4_096)
    assert found == room
    assert limit == ENDLESS or sum(found) < limit
    assert shared(limit, sockets=0, http=20) == Room(0, 20)


def test_room_that_is_there_changes_nothing() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert make_room(sockets=10, http=10) == Room(10, 10)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
