"""Whether a supervisor's board has counted a message: boards count by the shop's local day.

Must not know who looks, or how often.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo


class Place(NamedTuple):
    """A message's day, and how many were known to be said on it by then."""

    day: date
    number: int


class Days:
    """What was said in a shop, by its days."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._said: Counter[date] = Counter()

    def said(self, moment: str) -> Place:
        """Count a message that was received at this moment (RFC 3339)."""
        day = self._day(moment)
        self._said[day] += 1
        return Place(day, self._said[day])

    def counted(self, place: Place, board: Mapping[str, Any]) -> bool:
        """Tell whether the board counts the message, or shows a later day, as all do from then on.

        The last words before midnight may be on no board: the next that is pushed is the new day's.
        """
        shown = self._day(board["as_of"])
        counts = shown == place.day and int(board["messages"]) >= place.number
        return counts or shown > place.day

    def _day(self, moment: str) -> date:
        return datetime.fromisoformat(moment).astimezone(self._zone).date()
