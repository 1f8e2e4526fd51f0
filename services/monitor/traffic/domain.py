"""The words of traffic. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Final, NamedTuple

from contracts.people import ShopId
from services.monitor.calendar.domain import Calendar


def first_whole(calendar: Calendar, since_ms: int | None) -> date | None:
    """Return the first day of which all turns are told, if they are told since a moment."""
    if since_ms is None:
        return None
    return calendar.day(calendar.day_end(since_ms))


SAYS: Final = "says"
"""Under this a sum says what it counts."""


class TrafficKey(NamedTuple):
    """What one row of traffic is about."""

    shop_id: ShopId
    day: date


@dataclass(slots=True)
class Traffic:
    """Sums of one shop and day; `as_of_ms` is the newest event's time and no sum.

    Each is a column of the same name. One that came later is null where its day began without it.
    """

    buyer_messages: int = field(default=0, metadata={SAYS: "messages of buyers"})
    agent_messages: int = field(default=0, metadata={SAYS: "messages of agents"})
    other_messages: int = field(default=0, metadata={SAYS: "messages of bots and of the system"})
    as_of_ms: int = 0

    @property
    def sums(self) -> tuple[int, ...]:
        """The sums, in the order of `SUMS`."""
        return tuple(getattr(self, name) for name in SUMS)


SUMS: Final[Mapping[str, str]] = {
    one.name: one.metadata[SAYS] for one in fields(Traffic) if SAYS in one.metadata
}
"""What is counted, by name, in the order of the fields."""
