"""What a rule profile says: readings, windows, caps and limits, from a date on.

Pure values. Every number comes from a data file.
"""

import re
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cache
from typing import Final, NewType, Self

from contracts.people import SenderKind
from profiles import Anchor, Filters, Levels, Title, Unanswered, WindowBy

ReadingKey = NewType("ReadingKey", str)
ProfileName = NewType("ProfileName", str)

PEOPLE_ALONE: Final = f"^{SenderKind.AGENT.value}/[0-9]+/"
"""The keys of readings under which only people answer and no silence ends a wait, also as
PostgreSQL reads it. They agree on who waits."""

_NO_RULE: Final = frozenset({"reading", "levels", "title", "slow_times", "filters"})
"""A reading has its key, and nothing is counted anew because a screen shows it otherwise, or for
what is asked of the rows alone."""

_SINCE: Final = {"anchor": Anchor.BUYER_FIRST_MSG}
"""What older files do not say, and what it was then: it makes no other rule of them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What decides where rounds and sessions begin and end; profiles with one reading share them.

    A silence of `gap_ms` ends a session, but not while the buyer waits, unless
    `gap_while_waiting`. A contact less than `rejoin_ms` after a person's close continues it.
    """

    effective: frozenset[SenderKind]
    gap_ms: int
    gap_while_waiting: bool
    rejoin_ms: int

    @property
    def key(self) -> ReadingKey:
        """Return the stable name under which tracks and rows of this reading are stored (H32)."""
        effective = "+".join(sorted(self.effective))
        always = "!" if self.gap_while_waiting else ""
        return ReadingKey(f"{effective}/{self.gap_ms // 1000}{always}/{self.rejoin_ms // 1000}")

    @classmethod
    def of(cls, key: ReadingKey) -> Self:
        """Return the reading that a key names. Raises `ValueError`."""
        effective, gap, rejoin = key.split("/")
        return cls(
            effective=frozenset(map(SenderKind, effective.split("+"))),
            gap_ms=int(gap.removesuffix("!")) * 1000,
            gap_while_waiting=gap.endswith("!"),
            rejoin_ms=int(rejoin) * 1000,
        )


HUMAN: Final = ReadingKey("agent/3600/600")
"""How people see a shop's conversations, whatever a platform counts: only their answers count."""


@cache
def waits_for_people(key: ReadingKey) -> bool:
    """Tell whether a reading is one of those that say who waits for a person."""
    return re.match(PEOPLE_ALONE, key) is not None


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
    anchor: Anchor = Anchor.BUYER_FIRST_MSG
    """From when on the first response is counted, and whether it came in time (M01, M04)."""
    slow_times: int = 3
    """So many slow rounds of a buyer on a day, and the agent was slow to him (M08)."""
    filters: Filters = field(default_factory=Filters)
    """Which buyers are counted apart from those who were to be received (M11)."""
    levels: Levels | None = None
    title: Title | None = None

    @property
    def digest(self) -> str:
        """Return a text that is another one for every other rule, and the same for other looks."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _NO_RULE}
        plain = {name: value for name, value in said.items() if _SINCE.get(name, ...) != value}
        return f"{self.reading.key} {plain}"
