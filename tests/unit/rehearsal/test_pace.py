"""A client's frames keep to the server's rate, in order, and none waits twice."""

import pytest

from kit.clock import ManualClock
from rehearsal.pace import Pace

pytestmark = pytest.mark.unit

LIMITS = {"frames_per_s": 10, "burst": 5}  # of which four fifths are used: 8 a second, 4 at once


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def written() -> list[str]:
    """The ids on the wire, in order."""
    return []


@pytest.fixture
def pace(clock: ManualClock, written: list[str]) -> Pace:
    return Pace(lambda frame: written.append(frame["id"]), clock)


async def test_what_is_over_the_burst_follows_at_the_rate(
    pace: Pace, clock: ManualClock, written: list[str]
) -> None:
    pace.open(LIMITS)
    for number in range(12):
        pace.put({"id": f"{number}"})
    assert written == ["0", "1", "2", "3"]

    await clock.walk(0.5)
    assert written == [f"{number}" for number in range(8)]

    await clock.walk(0.5)
    assert written == [f"{number}" for number in range(12)]
    pace.close()


async def test_a_connection_begins_with_what_the_server_has_left_of_the_burst(
    pace: Pace, clock: ManualClock, written: list[str]
) -> None:
    pace.open(LIMITS, frames_left=0)
    for number in range(2):
        pace.put({"id": f"{number}"})
    assert written == []

    await clock.walk(0.25)
    assert written == ["0", "1"]
    pace.close()


async def test_nothing_is_written_before_the_limits_are_known(
    pace: Pace, written: list[str]
) -> None:
    pace.put({"id": "early"})
    assert written == []

    pace.open(LIMITS)
    assert written == ["early"]


async def test_a_frame_that_waits_is_not_queued_again(
    pace: Pace, clock: ManualClock, written: list[str]
) -> None:
    pace.open(LIMITS)
    for frame_id in ("a", "b", "c", "d", "e", "e", "f", "e"):
        pace.put({"id": frame_id})

    await clock.walk(1)

    assert written == ["a", "b", "c", "d", "e", "f"]


async def test_a_lost_connection_takes_along_what_waited(
    pace: Pace, clock: ManualClock, written: list[str]
) -> None:
    pace.open(LIMITS)
    for number in range(6):
        pace.put({"id": f"{number}"})
    pace.close()
    await clock.walk(5)
    assert written == ["0", "1", "2", "3"]

    pace.open(LIMITS)
    pace.put({"id": "new"})
    assert written[-1] == "new"


async def test_a_long_text_is_paced_as_the_several_frames_that_the_server_counts_it_as(
    pace: Pace, clock: ManualClock, written: list[str]
) -> None:
    pace.open({**LIMITS, "chars_per_frame": 500, "bytes_per_frame": 4096})
    for frame_id in ("a", "b"):
        pace.put({"id": frame_id, "d": {"text": "长" * 1_900}})
    pace.put({"id": "c"})
    assert written == ["a"]

    await clock.walk(0.5)
    assert written == ["a", "b"]

    await clock.walk(0.2)
    assert written == ["a", "b", "c"]
    pace.close()
