"""Dead letters are shown a page at a time, however many there are."""

import pytest

from kit.bus.deadletter import DeadLetter
from launcher import deadletters

pytestmark = pytest.mark.unit


def found(**counts: int) -> dict[str, list[DeadLetter]]:
    return {
        group: [DeadLetter(group, "chat", 0, offset, "why", "", 0) for offset in range(count)]
        for group, count in counts.items()
    }


def test_pages_follow_each_other_over_the_groups_until_the_last_letter() -> None:
    everything = found(archive=3, fold=0, work=4)
    seen: list[tuple[str, int]] = []

    for skip in range(0, 9, 2):
        shown = deadletters.page(everything, skip=skip, limit=2)
        seen += [(group, letter.offset) for group, some in shown.items() for letter in some]

    assert seen == [("archive", n) for n in range(3)] + [("work", n) for n in range(4)]


def test_a_page_says_how_to_see_the_next_and_the_last_one_does_not() -> None:
    everything = found(archive=60)

    assert "--skip 50" in (deadletters.rest_of(everything, skip=0, limit=50) or "")
    assert deadletters.rest_of(everything, skip=50, limit=50) is None
