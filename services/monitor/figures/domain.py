"""Which stretch of time figures are of. Pure values."""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from kit.errors import Unprocessable

STRETCH_LIMIT: Final = timedelta(days=93)
"""Longest stretch of one question; ask several and add, sums and counts are made for that."""

YEARS: Final = range(2000, 2100)
"""A time outside is of no shop, and calendars may not know it."""


class BadStretch(Unprocessable):
    """`from` and `to` name no stretch of time."""

    slug, title = "bad_stretch", "from and to must name a stretch of time"


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
