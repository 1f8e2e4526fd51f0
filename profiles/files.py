"""Reads a folder of rule profiles: a TOML file for each profile and date from which it holds.

Touches a disk once, and says of the first wrong file which place to correct. No platform's number
stands here: all are in the files.
"""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    field_validator,
    model_validator,
)

from kit import rule_files
from kit.rule_files import FileRefused

ProfileRefused: TypeAlias = FileRefused
"""A profile file cannot be used."""

SHIPPED: Final = Path(__file__).parent / "shipped"
PROFILES_LIMIT: Final = 64
"""Profile versions that may be loaded; more is refused, each one is judged for every round."""


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


class Anchor(StrEnum):
    """From when on a first response is counted (metrics.md, M01)."""

    BUYER_FIRST_MSG = "buyer_first_msg"
    TO_HUMAN = "to_human"
    ASSIGNED = "assigned"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(_Strict):
    """The part of a local day in which something counts, end excluded."""

    by: WindowBy
    start: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    end: str = Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")


class Replies(_Strict):
    """Whose reply is an answer, and when it came in time."""

    effective: frozenset[Literal["agent", "assist_bot"]] = Field(min_length=1)
    within_s: int = Field(gt=0)
    slow_s: int = Field(gt=0)
    first_within_s: int = Field(gt=0)
    anchor: Anchor = Anchor.BUYER_FIRST_MSG


class Rounds(_Strict):
    """What a round counts that was long, unanswered or handed on."""

    cap_s: int | None = Field(default=None, gt=0)
    unanswered: Unanswered
    transfer_counts: bool
    same_day_only: bool = False

    @model_validator(mode="after")
    def _has_its_cap(self) -> Self:
        if self.unanswered is Unanswered.CAP and self.cap_s is None:
            raise ValueError("unanswered = cap needs cap_s")
        return self


class Slow(_Strict):
    """When an agent was slow to a buyer: so many rounds on a day that were over `slow_s`."""

    times: int = Field(default=3, gt=0)


class Filters(_Strict):
    """Which buyers who asked were none to be received, and are counted apart (M11)."""

    ids: frozenset[str] = Field(default=frozenset(), max_length=1_000)
    own_staff: bool = True
    leave_message: bool = False
    """All they began on that day they began while nobody of the shop was there."""
    bot_only: bool = False
    """A bot answered all they asked, and nobody ever had them."""


class Sessions(_Strict):
    """Where a session ends, and which ones count."""

    session_gap_s: int | None = Field(default=None, gt=0)
    gap_while_waiting: bool = False
    rejoin_s: int = Field(ge=0)
    silence_s: int | None = Field(default=None, gt=0)
    """Of files before the session gap: a silence that ends the session also while one waits."""
    leave_messages_count: bool = True

    @model_validator(mode="after")
    def _has_one_gap(self) -> Self:
        if self.silence_s is not None and self.session_gap_s is not None:
            raise ValueError("silence_s and session_gap_s are both there: keep session_gap_s")
        return self


class Alerts(_Strict):
    """After which waits somebody is told."""

    thresholds_s: tuple[int, ...] = Field(min_length=1, max_length=8)
    breach_s: int = Field(gt=0)


Deepening = tuple[PositiveInt, PositiveInt, PositiveInt]
"""Seconds of waiting after which a screen shows notice, warning and breach, ascending."""


class Levels(_Strict):
    """How a screen shows who waits: until the first reply of a conversation, and after it.

    Only shown, never counted: `alerts` tells people, `replies` measures them.
    """

    first: Deepening
    later: Deepening

    @field_validator("first", "later")
    @classmethod
    def _deepens(cls, steps: Deepening) -> Deepening:
        if not steps[0] < steps[1] < steps[2]:
            raise ValueError("each step must be longer than the one before it")
        return steps


class Title(_Strict):
    """What people call the profile."""

    zh: str = Field(min_length=1, max_length=40)
    en: str = Field(min_length=1, max_length=40)


class ProfileFile(_Strict):
    """What a profile file says, as it says it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    effective_from: date
    source: str
    window: Window
    replies: Replies
    rounds: Rounds
    sessions: Sessions
    alerts: Alerts
    slow: Slow = Slow()
    filters: Filters = Filters()
    levels: Levels | None = None
    """None in files from before screens asked: waiting is then shown without colours."""
    title: Title | None = None
    """None in files from before screens asked: its name is shown."""


def load(folder: Path | None = None) -> tuple[ProfileFile, ...]:
    """Read every `*.toml` of a folder (None: the shipped ones). Raises `ProfileRefused`."""
    place = folder or SHIPPED
    files = sorted(place.glob("*.toml"))
    if not 0 < len(files) <= PROFILES_LIMIT:
        raise ProfileRefused(
            f"{place} holds {len(files)} profile files: it needs 1 to {PROFILES_LIMIT}"
        )
    return tuple(parse(rule_files.text_of(file), file.name) for file in files)


def names(folder: Path | None = None) -> frozenset[str]:
    """Return what a shop may be measured by, of `load`'s folder. Raises `ProfileRefused`."""
    return frozenset(file.name for file in load(folder))


def parse(text: str, source: str) -> ProfileFile:
    """Read one profile. Raises `ProfileRefused` naming `source`."""
    return rule_files.parse(ProfileFile, text, source)
