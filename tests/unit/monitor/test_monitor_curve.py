"""Waits put into minutes, and the curve that comes out: as if each minute had been counted."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.people import ShopId
from services.monitor.calendar.domain import DAY_MS, Calendar
from services.monitor.curve.domain import (
    CARRIED_DAYS,
    MINUTE_MS,
    Minute,
    Minutes,
    Wait,
    add,
    waiting,
)

pytestmark = pytest.mark.unit

SHOP = ShopId("s")
START_MS = round(datetime(2026, 10, 24, tzinfo=UTC).timestamp() * 1000)
"""Two days ahead of a Sunday that has 25 hours in Berlin."""

moments = st.integers(0, 4 * DAY_MS).map(lambda ms: START_MS + ms)
zones = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo"]).map(ZoneInfo)


@given(
    zone=zones,
    waits=st.lists(st.tuples(moments, moments), max_size=12),
    still=st.lists(moments, max_size=6),
    taken_off=st.integers(0, 3),
    asked=moments,
)
def test_a_days_curve_is_what_counting_at_the_end_of_each_minute_gives(
    zone: ZoneInfo,
    waits: list[tuple[int, int]],
    still: list[int],
    taken_off: int,
    asked: int,
) -> None:
    calendar = Calendar(zone)
    found: Minutes = {}
    for opened, closed in waits:
        add(found, Wait(SHOP, opened, closed), calendar)
    for opened, closed in waits[:taken_off]:
        add(found, Wait(SHOP, opened, closed), calendar, times=-1)
    day = calendar.day(asked)
    mine: dict[int, Minute] = {key.minute: one for key, one in found.items() if key.day == day}
    start_ms = calendar.midnight(day)
    first, end = start_ms // MINUTE_MS, calendar.day_end(start_ms) // MINUTE_MS

    curve = waiting(mine, [(at // MINUTE_MS, 1) for at in still], first=first, end=end)

    left = [(o, max(o, c)) for o, c in waits[taken_off:]]
    counted = [
        sum(o // MINUTE_MS <= minute < c // MINUTE_MS for o, c in left)
        + sum(o // MINUTE_MS <= minute for o in still)
        for minute in range(first, end)
    ]
    assert curve == counted


def test_a_clock_that_is_years_off_writes_no_row_for_each_day() -> None:
    found: Minutes = {}

    add(found, Wait(SHOP, 946_684_800_000, START_MS), Calendar(ZoneInfo("Asia/Shanghai")))

    assert len(found) == CARRIED_DAYS + 2
