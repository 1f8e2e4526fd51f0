"""What a settled wait adds to its minutes, and how many waited at the end of each.

Pure. Must not know how a wait is judged or where minutes are stored.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from contracts.people import ShopId
from services.monitor.calendar.domain import Calendar

MINUTE_MS: Final = 60_000

CARRIED_DAYS: Final = 92
"""So many midnights a wait is carried over at most: a clock that is years off writes no rows."""


class MinuteKey(NamedTuple):
    """What one row of minutes is about; `minute` counts from 1970, `day` is the shop's own."""

    shop_id: ShopId
    minute: int
    day: date


class Minute(NamedTuple):
    """How many waits began and ended in a minute; `carried`: went on over the midnight before."""

    opened: int = 0
    closed: int = 0
    carried: int = 0

    def plus(self, other: "Minute", times: int = 1) -> "Minute":
        """Add another one so many times; -1 takes it off."""
        return Minute(
            self.opened + times * other.opened,
            self.closed + times * other.closed,
            self.carried + times * other.carried,
        )


class Wait(NamedTuple):
    """A buyer waited from one moment to another."""

    shop_id: ShopId
    opened_ms: int
    closed_ms: int


Minutes = dict[MinuteKey, Minute]

_OPENED: Final = Minute(opened=1)
_CLOSED: Final = Minute(closed=1)
_CARRIED: Final = Minute(carried=1)


def add(minutes: Minutes, wait: Wait, calendar: Calendar, *, times: int = 1) -> None:
    """Add a wait to the minutes of its shop.

    A day stands for itself: whoever waited over its midnight is counted there once more, so that
    no day is read to know another. Gateways' clocks differ, but nothing ends before it begins.
    """
    opened_ms, closed_ms = wait.opened_ms, max(wait.opened_ms, wait.closed_ms)
    first, last = calendar.day(opened_ms), calendar.day(closed_ms)
    _count(minutes, MinuteKey(wait.shop_id, opened_ms // MINUTE_MS, first), _OPENED, times=times)
    _count(minutes, MinuteKey(wait.shop_id, closed_ms // MINUTE_MS, last), _CLOSED, times=times)
    day = max(first, last - timedelta(days=CARRIED_DAYS))
    while day < last:
        day += timedelta(days=1)
        minute = calendar.midnight(day) // MINUTE_MS
        _count(minutes, MinuteKey(wait.shop_id, minute, day), _CARRIED, times=times)


def waiting(
    minutes: Mapping[int, Minute], still: Iterable[tuple[int, int]], *, first: int, end: int
) -> list[int]:
    """Return how many waited at the end of each minute of `[first, end)`.

    `still` are those who wait now, as (since which minute, how many).
    """
    begun = dict.fromkeys(range(first, end), 0)
    number = 0
    for minute, count in still:
        if minute < first:
            number += count
        elif minute < end:
            begun[minute] += count
    found: list[int] = []
    for minute in range(first, end):
        one = minutes.get(minute, Minute())
        number += one.carried + one.opened + begun[minute] - one.closed
        found.append(number)
    return found


def _count(minutes: Minutes, key: MinuteKey, more: Minute, *, times: int) -> None:
    minutes[key] = minutes.get(key, Minute()).plus(more, times)
