"""The port of measures: what is counted along the fold, by conversation.

The fold knows no figure; a measure knows no order, no fence and no broker.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeAlias, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import Lifecycle
from contracts.people import ConversationId
from services.monitor.fold.schemas import Heard
from services.monitor.fold.standing import Standing, Voice

State = TypeVar("State")
Delta = TypeVar("Delta")


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One record of the log that brings something new: what was said, or a lifecycle event.

    `at_ms` is the producer's receive time, `offset` the record's place in its partition.
    """

    partition: int
    offset: int
    at_ms: int
    told: Heard | Lifecycle
    before: Standing
    after: Standing
    voice: Voice = Voice.OWNED


class Stretch(NamedTuple):
    """The records of one partition that a batch folded: offsets `[first, end)`."""

    generation: int
    partition: int
    first: int
    end: int


class Waiting(NamedTuple):
    """What of a conversation is not over yet, as lists and boards look it up."""

    since_ms: int | None = None
    """Since when the buyer waits for a person."""
    oldest_ms: int | None = None
    """The oldest open round of any reading."""
    unsettled: bool = False
    """Something is not settled yet."""

    def beside(self, other: "Waiting") -> "Waiting":
        """Return what is not over yet of two measures; the first says since when he waits."""
        if self is NOTHING:
            return other
        since = other.since_ms if self.since_ms is None else self.since_ms
        opened = [one for one in (self.oldest_ms, other.oldest_ms) if one is not None]
        return Waiting(since, min(opened, default=None), self.unsettled or other.unsettled)


NOTHING: Waiting = Waiting()


class BookSpan(NamedTuple):
    """Which book of rules is in force from an offset on (H32); `digests` by profile."""

    first_offset: int
    fingerprint: str
    readings: Sequence[str]
    digests: Mapping[str, str]


class Row(NamedTuple):
    """One row that a measure gives, as it is stored and as the log gives it.

    Rows of one table and key add up: what is settled, and what would be if all were over.
    """

    table: str
    key: tuple[Any, ...]
    values: tuple[Any, ...]
    rests_on: int
    """The oldest record without which it cannot be computed again."""
    of: ConversationId | None = None
    day: date | None = None
    """The day by whose age it is deleted."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored of a measure in one partition, from one snapshot."""

    rows: Sequence[Row]
    differences: Sequence[tuple[str, date, str]] = ()
    """What does not agree with itself: the table, the day, and what is wrong there."""
    skips: Callable[[Row], str | None] = field(default=lambda _: None)
    """Why a row cannot be compared, for the rules that made it are not at hand; None: it can."""


class Measure(Protocol[State, Delta]):
    """One kind of figure. One instance serves one partition, and may remember what it needs there.

    `State` is what it keeps of a conversation, None if nothing; `Delta` what a batch changes.
    """

    name: str
    book: BookSpan | None
    """The book that it judges by, from now on; None if no book changes it."""
    refolded: bool
    """Whether its rows were begun anew with the format of states (H49)."""
    remembers_ms: int
    """So long after a close a contact may continue something."""

    def begin(self, opened: Standing) -> State:
        """Return the state of a conversation of which nothing is known yet."""

    def delta(self) -> Delta:
        """Return an empty change."""

    def apply(self, state: State, fact: Fact, delta: Delta) -> None:
        """Take a fact in."""

    def as_if_over(self, state: State, standing: Standing, at_ms: int) -> Delta:
        """Return what would be settled if nobody answered any more. Changes nothing."""

    def settle(self, state: State, standing: Standing, at_ms: int, *, delta: Delta) -> None:
        """Settle the same for good: the state is forgotten (H34)."""

    def under(self, span: BookSpan) -> "Measure[State, Delta]":
        """Return this measure by the rules of an earlier book, as far as they are at hand."""

    def encode(self, state: State) -> bytes:
        """Return a state as it is stored; empty for one that is not."""

    def decode(self, data: bytes) -> State:
        """Read a stored state."""

    def waiting(self, state: State) -> Waiting:
        """Return what is not over yet."""

    def taken_back(self, delta: Delta) -> None:
        """Stand again where a batch began: what it changed could not be stored."""

    async def load(self, session: AsyncSession, *, generation: int, partition: int) -> None:
        """Remember what earlier batches of the partition left, from the snapshot of its state."""

    async def store(self, session: AsyncSession, deltas: Sequence[tuple[Stretch, Delta]]) -> None:
        """Store what a batch changed, in its transaction."""

    async def begin_anew(self, session: AsyncSession, stretch: Stretch) -> None:
        """Remove what a fold from `stretch.first` on gives again; what is older stays (H49)."""

    def rows(self, delta: Delta) -> Iterable[Row]:
        """Yield what a fold of the whole log gives."""

    async def kept(self, session: AsyncSession, *, generation: int, partition: int) -> Kept:
        """Return what is stored, to be compared with `rows`."""


class Stateless(ABC, Generic[Delta]):
    """What a measure is that keeps nothing of a conversation: nothing of it is ever open."""

    book: BookSpan | None = None
    refolded = False
    remembers_ms = 0

    def begin(self, opened: Standing) -> None:
        """Keep nothing."""
        del opened

    @abstractmethod
    def delta(self) -> Delta:
        """Return an empty change."""

    def as_if_over(self, state: None, standing: Standing, at_ms: int) -> Delta:
        """Return nothing: what was said is over."""
        del state, standing, at_ms
        return self.delta()

    def settle(self, state: None, standing: Standing, at_ms: int, *, delta: Delta) -> None:
        """Settle nothing."""
        del state, standing, at_ms, delta

    def under(self, span: BookSpan) -> Self:
        """Return itself: no book changes it."""
        del span
        return self

    def encode(self, state: None) -> bytes:
        """Store nothing."""
        del state
        return b""

    def decode(self, data: bytes) -> None:
        """Read nothing."""
        del data

    def waiting(self, state: None) -> Waiting:
        """Nobody waits here."""
        del state
        return NOTHING

    def taken_back(self, delta: Delta) -> None:
        """Remember nothing."""
        del delta

    async def load(self, session: AsyncSession, *, generation: int, partition: int) -> None:
        """Remember nothing."""

    async def begin_anew(self, session: AsyncSession, stretch: Stretch) -> None:
        """Remove nothing."""


AnyMeasure: TypeAlias = Measure[Any, Any]
Measures: TypeAlias = Callable[[], Sequence[AnyMeasure]]
"""Makes the measures of one partition, always in the same order."""
