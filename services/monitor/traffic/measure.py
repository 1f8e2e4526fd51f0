"""Traffic as a measure of the fold: what is said, by shop and day, and in whose turns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Self

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import SenderKind
from services.monitor.calendar.domain import Calendar
from services.monitor.directory.rules import Rules
from services.monitor.fold.measures import (
    NOTHING,
    BookSpan,
    Fact,
    Kept,
    Row,
    Stretch,
    Waiting,
)
from services.monitor.fold.schemas import Heard
from services.monitor.fold.standing import Standing
from services.monitor.traffic import repository, turns
from services.monitor.traffic.domain import SUMS, Traffic, TrafficKey
from services.monitor.traffic.schemas import turn_row
from services.monitor.traffic.turns import ToldTurn, ToldTurns, Turns, TurnSpan

NAME: Final = "traffic"


@dataclass(slots=True)
class Changes:
    """Sums that a batch adds, and turns as they stand behind it."""

    days: dict[TrafficKey, Traffic] = field(default_factory=dict)
    turns: ToldTurns = field(default_factory=ToldTurns, repr=False)
    span: TurnSpan | None = None
    """From where on turns are told without a gap."""
    begins: bool = False
    """The span begins in this batch."""


class TrafficMeasure:
    """Counts what is said, and puts it into turns.

    Turns are told in spans of the log: a release that tells none may have folded meanwhile, and
    what it folded is in no turn. A recount tells the same spans.
    """

    name = NAME
    book: BookSpan | None = None
    refolded = False
    remembers_ms = 0

    def __init__(self, rules: Rules) -> None:
        self._calendar_of = rules.directory.calendar
        self._span: TurnSpan | None = None
        self._told_before = 0
        """What a state remembers of older records is of another span, or of none."""
        self._spans: Sequence[TurnSpan] | None = None
        """A recount tells these, and no others."""

    def begin(self, opened: Standing) -> Turns:
        """Return the state of a conversation of which nothing is known yet."""
        del opened
        return Turns()

    def delta(self) -> Changes:
        """Return an empty change."""
        return Changes(span=self._span)

    def apply(self, state: Turns, fact: Fact, delta: Changes) -> None:
        """Count a message; any record of a shop tells how new its board is."""
        shop_id, at_ms = fact.after.shop_id, fact.at_ms
        calendar = self._calendar_of(shop_id)
        key = TrafficKey(shop_id, calendar.day(at_ms))
        traffic = delta.days.get(key)
        if traffic is None:
            traffic = delta.days[key] = Traffic()
        traffic.as_of_ms = max(traffic.as_of_ms, at_ms)
        if isinstance(fact.told, Heard):
            match fact.told.body.sender_kind:
                case SenderKind.BUYER:
                    traffic.buyer_messages += 1
                case SenderKind.AGENT:
                    traffic.agent_messages += 1
                case _:
                    traffic.other_messages += 1
        if self._tells(fact, delta):
            self._tell(state, fact, calendar, delta=delta)

    def as_if_over(self, state: Turns, standing: Standing, at_ms: int) -> Changes:
        """Return nothing: a turn that goes on is stored as if nobody wrote any more."""
        del state, standing, at_ms
        return Changes()

    def settle(self, state: Turns, standing: Standing, at_ms: int, *, delta: Changes) -> None:
        """Settle nothing, for the same reason."""
        del state, standing, at_ms, delta

    def under(self, span: BookSpan) -> Self:
        """Return itself: no book changes it."""
        del span
        return self

    def encode(self, state: Turns) -> bytes:
        """Return a state as it is stored."""
        return turns.encode(state)

    def decode(self, data: bytes) -> Turns:
        """Read a stored state."""
        return turns.decode(data)

    def waiting(self, state: Turns) -> Waiting:
        """Nobody waits here."""
        del state
        return NOTHING

    def taken_back(self, delta: Changes) -> None:
        """Begin the span again with the next record that can be stored."""
        if delta.begins:
            self._span = None

    async def load(self, session: AsyncSession, *, generation: int, partition: int) -> None:
        """Learn whether turns were told up to where the fold stands."""
        where = await repository.last_span(session, generation=generation, partition=partition)
        self._span, self._told_before = where.span, where.told_before

    async def store(self, session: AsyncSession, deltas: Sequence[tuple[Stretch, Changes]]) -> None:
        """Add messages to their days, and write turns as they stand."""
        await repository.add(
            session, [(of, *row) for of, delta in deltas for row in delta.days.items()]
        )
        await repository.put_turns(
            session,
            [
                (of, one, self._day(one))
                for of, delta in deltas
                for one in delta.turns.whole.values()
            ],
        )
        for stretch, delta in deltas:
            if delta.turns.withdrawn:
                await repository.withdraw(session, stretch, delta.turns.withdrawn)
        await repository.advance(
            session, [(of, delta.span) for of, delta in deltas if delta.span is not None]
        )

    async def begin_anew(self, session: AsyncSession, stretch: Stretch) -> None:
        """Remove nothing: no format of states began it anew."""

    def rows(self, delta: Changes) -> Iterable[Row]:
        """Yield each sum by shop and day, which rest on the whole log, and each turn."""
        for key, traffic in delta.days.items():
            for name, number in zip(SUMS, traffic.sums, strict=True):
                yield Row("traffic", (*key, name), (number,), 0, day=key.day)
        for one in delta.turns.whole.values():
            yield turn_row(one, self._day(one))

    async def kept(self, session: AsyncSession, *, generation: int, partition: int) -> Kept:
        """Return what is stored; a sum that came later says nothing of the days before.

        A fold of this measure from now on tells turns in the stored spans alone.
        """
        mine = {"generation": generation, "partition": partition}
        rows, absent = await repository.kept(session, {"partition": partition})
        rows += await repository.kept_turns(session, mine)
        self.tell_in(await repository.spans(session, mine))
        return Kept(rows, skips=lambda row: "not_counted_then" if row.key in absent else None)

    def _day(self, one: ToldTurn) -> date:
        return self._calendar_of(one.standing.shop_id).day(one.turn.from_ms)

    def tell_in(self, spans: Sequence[TurnSpan]) -> None:
        """Tell turns of these parts of the log from now on, and of nothing else."""
        self._spans = spans

    def _tells(self, fact: Fact, delta: Changes) -> bool:
        """Tell whether turns are told of that record, and since when."""
        if self._spans is not None:
            within = [one for one in self._spans if one.first_offset <= fact.offset < one.end]
            self._told_before = within[0].first_offset if within else 0
            return bool(within)
        if self._span is None:
            self._span = TurnSpan(fact.offset, fact.at_ms)
            delta.begins = True
        delta.span = self._span
        return True

    def _tell(self, state: Turns, fact: Fact, calendar: Calendar, *, delta: Changes) -> None:
        if state.heard_offset < self._told_before:
            state.forget()
        turns.tell(state, fact, calendar, out=delta.turns)
