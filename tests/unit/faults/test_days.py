"""What the probes of a fault ask of a board is what it can show, at a midnight as well."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.faults.days import Days

pytestmark = pytest.mark.unit

MIDNIGHT = datetime(2026, 11, 27, 16, tzinfo=UTC)
"""In Shanghai."""


def after(seconds: float) -> str:
    return (MIDNIGHT + timedelta(seconds=seconds)).isoformat()


def board(messages: int, as_of_s: float) -> dict[str, Any]:
    return {"messages": messages, "as_of": after(as_of_s)}


@pytest.fixture
def days() -> Days:
    """The days of a shop in Shanghai."""
    return Days(ZoneInfo("Asia/Shanghai"))


def test_a_message_is_counted_by_a_board_that_shows_as_many(days: Days) -> None:
    first, second = days.said(after(-30)), days.said(after(-20))

    assert days.counted(first, board(1, -30))
    assert not days.counted(second, board(1, -30))
    assert days.counted(second, board(2, -20))


def test_a_new_day_is_counted_from_its_own_beginning(days: Days) -> None:
    for seconds in range(-68, 0):
        days.said(after(seconds))
    first, second = days.said(after(0)), days.said(after(0.5))

    assert not days.counted(first, board(68, -1)), "yesterday's board counts nothing of today"
    assert not days.counted(first, board(0, 0.1))
    assert days.counted(first, board(1, 0.2))
    assert not days.counted(second, board(1, 0.2))
    assert days.counted(second, board(2, 0.7))


def test_who_spoke_last_before_midnight_waits_for_no_board_of_a_day_that_is_over(
    days: Days,
) -> None:
    earlier, last = days.said(after(-1)), days.said(after(-0.14))

    assert days.counted(earlier, board(1, -1))
    assert not days.counted(last, board(1, -1))
    assert days.counted(last, board(0, 0.3))
