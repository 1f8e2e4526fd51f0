"""The words of response times: rounds, sessions and what they add to the figures of a profile.

Pure values. Must not know where records come from or where figures are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import msgspec

from contracts.people import ConversationId, PersonId, ShopId
from services.monitor.profiles.domain import ProfileName, ReadingKey


class Outcome(StrEnum):
    """How a round ended."""

    ANSWERED = "answered"
    TRANSFERRED = "transferred_unanswered"
    CLOSED = "closed_unanswered"
    SILENT = "silent"
    """The session ended by silence, under readings that say so."""


class Round(msgspec.Struct, gc=False):
    """A buyer's question and how it ended, for the account that owned it.

    Most rounds are the same under every reading: such a one is one round with several `readings`,
    which made a third of the rows and of the judging when it was measured.
    """

    readings: list[ReadingKey]
    conversation_id: ConversationId
    shop_id: ShopId
    buyer_id: PersonId
    agent_id: PersonId | None
    opened_offset: int
    """The record that opened it; with partition and readings it names the round."""
    opened_ms: int
    closed_ms: int
    outcome: Outcome
    waiting_since_ms: int
    """The buyer-facing clock: unbroken by transfers."""
    session_ms: int
    session_offset: int | None
    """Where its session started in the log; None: stored before that was, or there is none."""
    to_human_ms: int
    born_offset: int
    """First record of the conversation; tells `recompute` what the log still holds whole."""
    settled_offset: int
    """The record that settled it; tells which book was in force."""
    unstaffed: bool | None = None
    """All agents of the shop were away when it opened (H35); None: that is not known yet."""

    @property
    def duration_ms(self) -> int:
        """Return the owner's response time; never below 0, gateways' clocks differ (H22)."""
        return max(0, self.closed_ms - self.opened_ms)


class Session(msgspec.Struct, gc=False):
    """A session whose first response is decided: given at `replied_ms`, or never (None).

    As with rounds, one session stands for all `readings` that see it alike.
    """

    readings: list[ReadingKey]
    conversation_id: ConversationId
    shop_id: ShopId
    buyer_id: PersonId
    agent_id: PersonId | None
    started_offset: int
    started_ms: int
    """The buyer's first message: the anchor `buyer_first_msg` of M01."""
    to_human_ms: int
    assigned_ms: int | None
    replied_ms: int | None
    born_offset: int
    settled_offset: int
    unstaffed: bool | None = None


class Score(msgspec.Struct, frozen=True, gc=False):
    """What a round or a session adds to the figures of one profile. Adding is always right.

    A msgspec struct, as rounds and sessions are: made and compared in C, and each round makes
    fourteen of them.
    """

    rounds: int = 0
    round_ms: int = 0
    unanswered: int = 0
    within: int = 0
    slow: int = 0
    sessions: int = 0
    first_responses: int = 0
    first_response_ms: int = 0
    first_within: int = 0

    def times(self, number: int) -> "Score":
        """Return it so many times; -1 takes it off."""
        if number == 1:
            return self
        return Score(*(number * part for part in msgspec.structs.astuple(self)))

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.rounds + other.rounds,
            self.round_ms + other.round_ms,
            self.unanswered + other.unanswered,
            self.within + other.within,
            self.slow + other.slow,
            self.sessions + other.sessions,
            self.first_responses + other.first_responses,
            self.first_response_ms + other.first_response_ms,
            self.first_within + other.first_within,
        )


@dataclass(slots=True)
class Settled:
    """What became final, and what of it is to be as if it had never been (H30).

    What is withdrawn is named by the offsets at which rounds opened and sessions started.
    """

    rounds: list[Round] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    withdrawn_rounds: list[int] = field(default_factory=list)
    withdrawn_sessions: list[int] = field(default_factory=list)


class Scored(NamedTuple):
    """What a round or session counts under each profile that did not leave it out."""

    day: date
    scores: Mapping[ProfileName, Score]
