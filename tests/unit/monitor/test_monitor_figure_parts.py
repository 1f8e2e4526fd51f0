"""How a stretch is cut: by the clock on the shop's wall, also where that is changed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from services.monitor.calendar.domain import Calendar
from services.monitor.figures.domain import BadStretch, Bucket, parts, shifts, stretch

pytestmark = pytest.mark.unit


def cut(start: str, end: str, bucket: Bucket, zone: str = "Asia/Shanghai") -> list[datetime]:
    begin, until = stretch(start, end, ZoneInfo(zone))
    start_ms, end_ms = (round(one.timestamp() * 1000) for one in (begin, until))
    found = parts(Calendar(ZoneInfo(zone)), start_ms, end_ms, bucket=bucket)
    return [datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)) for at in found]


@pytest.mark.parametrize(
    ("bucket", "number", "length"),
    [
        (Bucket.QUARTER, 192, timedelta(minutes=15)),
        (Bucket.HOUR, 48, timedelta(hours=1)),
        (Bucket.DAY, 2, timedelta(days=1)),
    ],
)
def test_two_days_have_as_many_parts_as_fit(bucket: Bucket, number: int, length: timedelta) -> None:
    found = cut("2026-11-11", "2026-11-13", bucket)

    assert len(found) == number
    assert {b - a for a, b in pairwise(found)} == {length}


def test_a_stretch_that_begins_within_an_hour_has_a_short_part_first() -> None:
    found = cut("2026-11-11T08:10:00", "2026-11-11T10:00:01", Bucket.HOUR)

    assert [f"{one:%H:%M}" for one in found] == ["08:10", "09:00", "10:00"]


@pytest.mark.parametrize(("day", "hours"), [("2026-11-01", 25), ("2026-03-08", 23)])
def test_a_day_on_which_clocks_change_has_its_own_number_of_hours(day: str, hours: int) -> None:
    until = f"{datetime.fromisoformat(day) + timedelta(days=1):%F}"
    found = cut(day, until, Bucket.HOUR, "America/New_York")

    assert len(found) == hours
    assert len(cut(day, until, Bucket.DAY, "America/New_York")) == 1


def test_an_hour_of_a_zone_that_is_half_an_hour_off_begins_on_its_own_clock() -> None:
    found = cut("2026-11-11T08:00:00", "2026-11-11T10:00:00", Bucket.HOUR, "Asia/Kolkata")

    assert [f"{one:%H:%M}" for one in found] == ["08:00", "09:00"]


def on_the_wall(start: str, end: str, shift: str, zone: str = "Asia/Shanghai") -> list[str]:
    """Return where shifts begin and end by the shop's clock."""
    cut = shifts(Calendar(ZoneInfo(zone)), start, end, shift=shift)
    moments = [datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)) for at in cut]
    return [f"{one:%d %H:%M}" for one in moments]


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        ("08:30-16:00", ["11 08:30", "11 16:00", "12 08:30", "12 16:00"]),
        ("16:00-01:00", ["11 16:00", "12 01:00", "12 16:00", "13 01:00"]),
        ("09:00-09:00", ["11 09:00", "12 09:00", "12 09:00", "13 09:00"]),
    ],
)
def test_a_shift_is_of_the_date_on_which_it_begins(shift: str, expected: list[str]) -> None:
    assert on_the_wall("2026-11-11", "2026-11-13", shift) == expected


def test_a_shift_keeps_its_hours_on_the_wall_where_clocks_change() -> None:
    found = on_the_wall("2026-10-31", "2026-11-02", "22:00-06:00", "America/New_York")

    assert found == ["31 22:00", "01 06:00", "01 22:00", "02 06:00"]


def test_a_shift_of_which_the_clocks_left_nothing_is_empty() -> None:
    assert on_the_wall("2027-03-27", "2027-03-30", "02:30-03:00", "Europe/Berlin") == [
        *("27 02:30", "27 03:00"),
        *("28 03:30", "28 03:30"),
        *("29 02:30", "29 03:00"),
    ]


def test_shifts_are_of_dates() -> None:
    with pytest.raises(BadStretch):
        on_the_wall("2026-11-11T08:00:00", "2026-11-13", "08:30-16:00")
