"""A shop's calendar: local days, midnights and the clock on the wall.

Pure values. Must not know what is counted by day.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from contracts.people import ShopId

DAY_MS: Final = 86_400_000
_QUARTER_MS: Final = 900_000
"""Every time zone in use is whole quarters of an hour off UTC, and changes that on one."""

_EPOCH: Final = date(1970, 1, 1)
_KEPT: Final = 4_096
"""Quarter hours that a calendar remembers (42 days); then it starts afresh."""


class _Quarter(NamedTuple):
    """What holds for a quarter of an hour: no midnight and no change of clocks is inside of one."""

    offset_ms: int
    """Local time minus UTC."""
    day: date
    end_ms: int
    """Where the next local day begins."""


@dataclass(slots=True)
class Calendar:
    """A shop's days, kept by the quarter hour: a look-up costs 0.1 us, the time zone's own 1 us."""

    zone: ZoneInfo
    _quarters: dict[int, _Quarter] = field(default_factory=dict)

    def offset_ms(self, at_ms: int) -> int:
        """Return local time minus UTC at that moment."""
        return self._quarter(at_ms).offset_ms

    def day(self, at_ms: int) -> date:
        """Return the local date of that moment."""
        return self._quarter(at_ms).day

    def into_day_ms(self, at_ms: int) -> int:
        """Return the wall clock's reading as milliseconds after midnight."""
        return (at_ms + self._quarter(at_ms).offset_ms) % DAY_MS

    def day_end(self, at_ms: int) -> int:
        """Return where the next local day begins, also behind a day of 23 or 25 hours.

        Where clocks go forward at midnight itself, that day begins at one o'clock.
        """
        return self._quarter(at_ms).end_ms

    def midnight(self, day: date) -> int:
        """Return the moment a local day begins."""
        start = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return round(start.timestamp() * 1000)

    def _quarter(self, at_ms: int) -> _Quarter:
        number = at_ms // _QUARTER_MS
        known = self._quarters.get(number)
        if known is None:
            if len(self._quarters) >= _KEPT:
                self._quarters.clear()
            known = self._quarters[number] = self._read(number * _QUARTER_MS)
        return known

    def _read(self, at_ms: int) -> _Quarter:
        offset = self._ask(at_ms)
        number = (at_ms + offset) // DAY_MS
        guess = (number + 1) * DAY_MS - offset
        behind = self._ask(guess)
        found = guess + offset - behind
        end = found if self._ask(found) == behind else guess
        return _Quarter(offset, _EPOCH + timedelta(days=number), end)

    def _ask(self, at_ms: int) -> int:
        """Ask the time zone for its offset."""
        local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self.zone)
        return round((local.utcoffset() or timedelta()).total_seconds() * 1000)


CalendarOf = Callable[[ShopId], Calendar]
"""A shop's calendar; a shop not listed yet has the house's time zone."""
