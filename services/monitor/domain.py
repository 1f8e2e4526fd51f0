"""The monitor's words: readings, profiles, rounds, sessions and the shop's calendar.

Pure values. Must not know where records come from or where figures are stored.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from zoneinfo import ZoneInfo

import msgspec

from contracts.people import ConversationId, PersonId, SenderKind, ShopId

ReadingKey = NewType("ReadingKey", str)
ProfileName = NewType("ProfileName", str)

DAY_MS: Final = 86_400_000
_QUARTER_MS: Final = 900_000
"""Every time zone in use changes its offset on a quarter of an hour."""

_EPOCH: Final = date(1970, 1, 1)
_OFFSETS_KEPT: Final = 4_096
"""Quarter hours whose offset a calendar remembers (42 days), and days; then it starts afresh."""


class Outcome(StrEnum):
    """How a round ended."""

    ANSWERED = "answered"
    TRANSFERRED = "transferred_unanswered"
    CLOSED = "closed_unanswered"
    SILENT = "silent"
    """The session ended by silence, under readings that say so."""


class WindowBy(StrEnum):
    """Which moment decides whether a round counts (metrics.md, "in window")."""

    ROUND_OPEN = "round_open"
    SESSION_START = "session_start"
    TO_HUMAN = "to_human"


class Unanswered(StrEnum):
    """What a round counts that got no answer on the day it opened."""

    CAP = "cap"
    """One round of the cap's length."""
    ELAPSED = "elapsed"
    """One round of the time the buyer waited on that day."""
    EXCLUDE = "exclude"
    """No round; only the count of unanswered ones."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What decides where rounds and sessions begin and end; profiles with one reading share them.

    `silence_ms` None: silence never ends a session. `rejoin_ms` is the reopen gap of metrics.md.
    """

    effective: frozenset[SenderKind]
    silence_ms: int | None
    rejoin_ms: int

    @property
    def key(self) -> ReadingKey:
        """Return the stable name under which rounds of this reading are stored."""
        who = "+".join(sorted(self.effective))
        silence = "never" if self.silence_ms is None else str(self.silence_ms // 1000)
        return ReadingKey(f"{who}/{silence}/{self.rejoin_ms // 1000}")


@dataclass(frozen=True, slots=True)
class Window:
    """Part of a local day in milliseconds after midnight, end excluded."""

    start_ms: int
    end_ms: int

    def holds(self, into_day_ms: int) -> bool:
        """Tell whether a wall clock reading lies in the window."""
        return self.start_ms <= into_day_ms < self.end_ms


@dataclass(frozen=True, slots=True)
class Profile:
    """One platform's rules from a date on. Every number comes from a data file."""

    name: ProfileName
    effective_from: date
    reading: Reading
    window: Window
    window_by: WindowBy
    cap_ms: int | None
    unanswered: Unanswered
    transfer_counts: bool
    """A transfer without reply leaves an unanswered round on the first account."""
    same_day_only: bool
    """Only rounds of the day on which the session started count."""
    leave_messages_count: bool
    within_ms: int
    """Replies up to this count for the reply rate (M05)."""
    slow_ms: int
    first_within_ms: int
    thresholds_s: tuple[int, ...]
    """A wait of so many seconds raises one alert each (M10), ascending."""
    breach_s: int
    """A wait of so many seconds counts as breaching on the board."""


class Round(msgspec.Struct):
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
    to_human_ms: int
    left_message: bool
    born_offset: int
    """First record of the conversation; tells `recompute` what the log still holds whole."""

    @property
    def duration_ms(self) -> int:
        """Return the owner's response time; never below 0, gateways' clocks differ (H22)."""
        return max(0, self.closed_ms - self.opened_ms)


class Session(msgspec.Struct):
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
    left_message: bool
    born_offset: int


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
        """Return the next local midnight, also on a day of 23 or 25 hours."""
        guess = at_ms - self.into_day_ms(at_ms) + DAY_MS
        return guess + self.offset_ms(at_ms) - self.offset_ms(guess)

    def midnight(self, day: date) -> int:
        """Return the moment a local day begins."""
        start = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return round(start.timestamp() * 1000)


CalendarOf = Callable[[ShopId], Calendar]
"""A shop's calendar; a shop not listed yet has the house's time zone."""
