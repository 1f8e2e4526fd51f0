"""What is counted of those who asked. Pure values."""

from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from contracts.people import PersonId


class InquiriesBy(StrEnum):
    """What the rows of a report of inquiries are about."""

    AGENT = "agent"
    DAY = "day"
    SHOP = "shop"


REASONS: Final = ("ids", "own_staff", "leave_message", "bot_only")
"""Why somebody who asked was none to be received; of several the first that holds."""


class People(NamedTuple):
    """Distinct buyers by day, and the words of those who were received.

    `filtered` by reason, in the order of `REASONS`. Consulted are filtered, received or neither.
    """

    consulted: int = 0
    filtered: tuple[int, ...] = (0,) * len(REASONS)
    received: int = 0
    buyer_words: int = 0
    agent_words: int = 0

    @property
    def to_receive(self) -> int:
        """Count those who were to be received."""
        return self.consulted - sum(self.filtered)


class Stopped(NamedTuple):
    """Messages of staff by what became of them, where a rule of wording was broken."""

    blocked: int = 0
    confirmed: int = 0
    delivered: int = 0


class Slowness(NamedTuple):
    """Buyers to whom an agent was slow on a day, of those whose rounds count there."""

    slow: int = 0
    asked: int = 0


class OpenSession(NamedTuple):
    """A session that nobody has settled yet; whether nobody was there when it began."""

    day: date
    buyer_id: PersonId
    unstaffed: bool | None


class OpenRound(NamedTuple):
    """What a round counts that nobody has settled yet though its day is over."""

    agent_id: PersonId
    buyer_id: PersonId
    day: date
    slow: int


class StillOpen(NamedTuple):
    """What is told as if nobody answered any more."""

    rounds: list[OpenRound]
    sessions: list[OpenSession]
