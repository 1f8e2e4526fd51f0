"""A shop's calendar: local days, midnights and the clock on the wall.

Pure values. Must not know what is counted by day.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from contracts.people import ShopId

DAY_MS: Final = 86_400_000
_QUARTER_MS: Final = 900_000
"""Every time zone in use changes its offset on a quarter of an hour."""

_EPOCH: Final = date(1970, 1, 1)
_OFFSETS_KEPT: Final = 4_096
"""Quarter hours whose offset a calendar remembers (42 days), and days; then it starts afresh."""


@dataclass(slots=True)
class Calendar:
    """A shop's days, kept by the quarter hour: a look-up costs 0.1 us, the time zone's own 1 us."""

    zone: ZoneInfo
    _offsets: dict[int, int] = field(default_factory=dict)
    _days: dict[int, date] = field(default_factory=dict)

    def offset_ms(self, at_ms: int) -> int:
        """Return local time minus UTC at that moment."""
        quarter = at_ms // _QUARTER_MS
        known = self._offsets.get(quarter)
        if known is None:
            if len(self._offsets) >= _OFFSETS_KEPT:
                self._offsets.clear()
            local = datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, UTC).astimezone(self.zone)
            known = round((local.utcoffset() or timedelta()).total_seconds() * 1000)
            self._offsets[quarter] = known
        return known

    def day(self, at_ms: int) -> date:
        """Return the local date of that moment."""
        number = (at_ms + self.offset_ms(at_ms)) // DAY_MS
        known = self._days.get(number)
        if known is None:
            if len(self._days) >= _OFFSETS_KEPT:
                self._days.clear()
            known = self._days[number] = _EPOCH + timedelta(days=number)
        return known

    def into_day_ms(self, at_ms: int) -> int:
        """Return the wall clock's reading as milliseconds after midnight."""
        return (at_ms + self.offset_ms(at_ms)) % DAY_MS

    def day_end(self, at_ms: int) -> int:
        """Return where the next local day begins, also behind a day of 23 or 25 hours.

        Where clocks go forward at midnight itself, that day begins at one o'clock.
        """
        guess = at_ms - self.into_day_ms(at_ms) + DAY_MS
        found = guess + self.offset_ms(at_ms) - self.offset_ms(guess)
        return found if self.offset_ms(found) == self.offset_ms(guess) else guess

    def midnight(self, day: date) -> int:
        """Return the moment a local day begins."""
        start = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return round(start.timestamp() * 1000)


CalendarOf = Callable[[ShopId], Calendar]
"""A shop's calendar; a shop not listed yet has the house's time zone."""
