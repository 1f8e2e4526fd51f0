"""How a round or session counts in a figure, and in which order they are listed. Pure values."""

from enum import StrEnum
from typing import NamedTuple

from contracts.people import ConversationId, PersonId


class Outcome(StrEnum):
    """How a round, or a session's first response, counts; each has exactly one."""

    WITHIN = "within"
    LATE = "late"
    UNANSWERED = "unanswered"


class Place(NamedTuple):
    """Where a row stands in its list: the newest come first."""

    at_ms: int
    conversation_id: ConversationId
    offset: int


class Counted(NamedTuple):
    """A round or a session as a figure counts it. Rows sort by their place."""

    at_ms: int
    conversation_id: ConversationId
    offset: int
    """The record that began it."""
    buyer_id: PersonId
    agent_id: PersonId | None
    took_ms: int | None
    """The response time; None: no answer on its day."""
    counted_ms: int
    """What it adds to the sum that the average is made of."""
    outcome: Outcome
    in_average: bool
    """A profile may leave what is unanswered out of its average."""

    @property
    def place(self) -> Place:
        """Return where it stands."""
        return Place(self.at_ms, self.conversation_id, self.offset)


class Wanted(NamedTuple):
    """Which of them: those of `outcome`, or without one those that the average is made of."""

    outcome: Outcome | None = None
    agent_id: PersonId | None = None
    is_unowned: bool = False
    """Of nobody, which no agent's id says."""

    def holds(self, row: Counted) -> bool:
        """Tell whether a row is asked for."""
        if self.is_unowned and row.agent_id is not None:
            return False
        if self.agent_id is not None and row.agent_id != self.agent_id:
            return False
        return row.in_average if self.outcome is None else row.outcome is self.outcome
