"""Which stretch of time figures are of, and in which parts. Pure values."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import Final

from kit.errors import Unprocessable
from services.monitor.calendar.domain import DAY_MS, Calendar
from services.monitor.profiles.domain import Window

STRETCH_LIMIT: Final = timedelta(days=93)
"""Longest stretch of one question; ask several and add, sums and counts are made for that."""

YEARS: Final = range(2000, 2100)
"""A time outside is of no shop, and calendars may not know it."""


ROWS_LIMIT: Final = 100_000
"""Most rows of one answer."""


class Bucket(StrEnum):
    """Parts into which a stretch is cut, by the clock on the shop's wall."""

    QUARTER = "quarter"
    HOUR = "hour"
    DAY = "day"


class BadStretch(Unprocessable):
    """`from` and `to` name no stretch of time."""

    slug, title = "bad_stretch", "from and to must name a stretch of time"


class TooManyRows(Unprocessable):
    """More rows than one answer has: cut off, they would look like all."""

    slug, title = "too_many_rows", "That is more rows than one answer may have"


def parts(calendar: Calendar, start_ms: int, end_ms: int, *, bucket: Bucket) -> list[int]:
    """Return where the parts of a stretch begin, ascending; the first where the stretch does.

    An hour that the clocks repeat is two parts, and one that they leave out is none.
    """
    found, at_ms = [], start_ms
    while at_ms < end_ms:
        found.append(at_ms)
        at_ms = calendar.day_end(at_ms) if bucket is Bucket.DAY else _next(calendar, at_ms, bucket)
    return found


_QUARTER_MS: Final = 900_000
_HOUR_MS: Final = 4 * _QUARTER_MS


def _next(calendar: Calendar, at_ms: int, bucket: Bucket) -> int:
    """Return the next quarter hour; of an hour the next one that is full on the shop's wall."""
    at_ms += _QUARTER_MS - at_ms % _QUARTER_MS
    while bucket is Bucket.HOUR and calendar.into_day_ms(at_ms) % _HOUR_MS:
        at_ms += _QUARTER_MS
    return at_ms


_MINUTE_MS: Final = 60_000


def hours(calendar: Calendar, window: Window, midnights: Sequence[int]) -> list[int]:
    """Return where a window of the clock on the wall begins and ends, in turn, in these days.

    Where the clocks change within a day it may begin twice, or not at all.
    """
    edges: list[int] = []
    for begin, end in pairwise(midnights):
        if end - begin == DAY_MS and calendar.offset_ms(begin) == calendar.offset_ms(end - 1):
            edges += [begin + window.start_ms, begin + window.end_ms]
            continue
        inside = False
        for at_ms in range(begin, end, _MINUTE_MS):
            if window.holds(calendar.into_day_ms(at_ms)) != inside:
                inside = not inside
                edges.append(at_ms)
        edges += [end] * inside
    return edges


SHIFT: Final = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"
"""From one hour and minute on the shop's wall to another, which may be of the next day."""


def shifts(calendar: Calendar, start: str, end: str, *, shift: str) -> list[int]:
    """Return where a shift begins and ends on each date from `start` to `end`, in turn.

    It is of the date on which it begins. One that ends when it begins is a day long; one of which
    a change of the clocks left nothing ends where it begins. Raises `BadStretch`.
    """
    begin, until = stretch(start, end, calendar.zone)
    if {len(start), len(end)} != {len("2026-11-11")}:
        raise BadStretch("Shifts are of dates such as 2026-11-11.")
    opens, closes = map(time.fromisoformat, shift.split("-"))
    later = timedelta(days=int(closes <= opens))
    found: list[int] = []
    for number in range((until.date() - begin.date()).days):
        day = begin.date() + timedelta(days=number)
        for on, at in ((day, opens), (day + later, closes)):
            moment = round(datetime.combine(on, at, tzinfo=calendar.zone).timestamp() * 1000)
            found.append(max([moment, *found[-1:]]))
    return found


def stretch(start: str, end: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the moments that `from` and `to` name, aware, the second one excluded.

    Raises `BadStretch`.
    """
    try:
        begin, until = _moment(start, zone), _moment(end, zone)
    except ValueError:
        raise BadStretch(
            "Give dates such as 2026-11-11 or times such as 2026-11-11T08:00:00+08:00."
        ) from None
    if begin.year not in YEARS or until.year not in YEARS:
        raise BadStretch(f"Give years from {YEARS.start} to {YEARS.stop - 1}.")
    if not begin < until <= begin + STRETCH_LIMIT:
        raise BadStretch(f"`to` must be after `from`, by at most {STRETCH_LIMIT.days} days.")
    return begin, until


def _moment(text: str, zone: tzinfo) -> datetime:
    """Read a date (its local midnight) or a time; one without an offset is the shop's local."""
    if len(text) == len("2026-11-11"):
        return datetime.combine(date.fromisoformat(text), time(), tzinfo=zone)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
