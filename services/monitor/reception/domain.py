"""The words of reception: what is found against a rule, and how findings add up. Pure values."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from contracts.people import ConversationId, PersonId, ShopId

OFFSETS: Final = 5
"""Places that a flag names at most."""

GAP_MS: Final = 3_600_000
REJOIN_MS: Final = 600_000
"""A session as people see it: so much silence while nobody waits ends it, and who comes back within
the second after a person's close goes on with it."""


class Subject(NamedTuple):
    """What a flag is about: one for each rule, session and agent. `offset` is its first place."""

    offset: int
    rule: str
    shop_id: ShopId
    conversation_id: ConversationId
    agent_id: PersonId
    session: int
    born: int
    """The first record of the conversation."""
    at_ms: int
    due_ms: int
    """What is said until then may take it back."""
    excused: bool
    """Nobody is charged: the shop was unstaffed."""


class Found(NamedTuple):
    """What was found, or what more; findings of one flag add up."""

    severity: int
    times: int
    seconds: int
    """How long buyers waited, where that is the matter."""
    offsets: tuple[int, ...]

    def plus(self, other: "Found") -> "Found":
        """Add another finding."""
        return Found(
            self.severity + other.severity,
            self.times + other.times,
            self.seconds + other.seconds,
            self.offsets + other.offsets,
        )


class Span(NamedTuple):
    """From this offset on a shop's conversations are looked at by these rules."""

    shop_id: ShopId
    first_offset: int
    rules: str


@dataclass(slots=True)
class Changes:
    """What a batch found, and from where on which rules were in force."""

    found: dict[tuple[int, str], tuple[Subject, Found]]
    spans: list[Span]
    before: dict[ShopId, Span | None]
    """By which rules each shop was looked at before the batch."""

    @classmethod
    def none(cls) -> "Changes":
        """Return an empty change."""
        return cls({}, [], {})

    def add(self, subject: Subject, found: Found) -> None:
        """Add a finding to its flag."""
        key = subject.offset, subject.rule
        known = self.found.get(key)
        self.found[key] = (subject, found) if known is None else (known[0], known[1].plus(found))


def flag_id(generation: int, partition: int, place: tuple[int, str]) -> str:
    """Return the name of a flag: where the log tells of it, and its rule."""
    offset, rule = place
    return f"{generation}-{partition}-{offset}-{rule}"


def utc_day(at_ms: int) -> date:
    """Return by which day's age a flag is compared: no later than its shop's own."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()
