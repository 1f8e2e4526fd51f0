"""What reports count. Pure values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple


class WordingBy(StrEnum):
    """What the rows of a wording report are about."""

    CATEGORY = "category"
    AGENT = "agent"
    DAY = "day"


WORDING_SUMS: Final = ("blocked", "asked", "meant", "flags_agent", "flags_buyer")
"""What is counted, in the order of a file's columns."""


@dataclass(slots=True)
class WordingCount:
    """Messages that the gate stopped or asked about, that were meant, and that were said."""

    blocked: int = 0
    asked: int = 0
    meant: int = 0
    flags_agent: int = 0
    flags_buyer: int = 0


class WaitsPart(NamedTuple):
    """How buyers waited in a part of a stretch."""

    start_ms: int
    began: int
    ended: int
    most: int
    waited_minutes: int


class HoursBy(StrEnum):
    """What the rows of a report of hours are about."""

    AGENT = "agent"
    DAY = "day"


HOURS: Final = ("online_ms", "busy_ms", "break_ms", "suspended_ms", "unknown_ms")
"""How long agents were what, in the order of a file's columns."""


class Hours(NamedTuple):
    """How long one agent, or all on one day, were what.

    `agents` were at their desks at all, from `first_ms` to `last_ms`, if any was. `served_ms` is
    how long of it they had a buyer.
    """

    agents: int
    first_ms: int | None
    last_ms: int | None
    online_ms: int
    busy_ms: int
    break_ms: int
    suspended_ms: int
    unknown_ms: int
    served_ms: int
