"""Response times as a measure of the fold: rounds and sessions, judged and counted as they settle.

Knows the machine, the rules and its tables; must not know how the fold goes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, ShopId
from services.monitor.directory.rules import Rules
from services.monitor.fold.measures import NOTHING, Fact, Kept, Row, Stretch, Waiting
from services.monitor.fold.standing import Standing
from services.monitor.response import repository
from services.monitor.response.domain import Judged, Round, Score, Session
from services.monitor.response.judging import judge_round, judge_session
from services.monitor.response.rollups import CounterKey, differences
from services.monitor.response.rounds import Machine, Settled, Talk
from services.monitor.response.schemas import counter_row, round_row, session_row

NAME: Final = "response"
_NOTHING: Final = Score()


@dataclass(slots=True)
class Changes:
    """What a batch settled, with the totals that it adds."""

    rounds: list[tuple[Round, Judged]] = field(default_factory=list)
    sessions: list[tuple[Session, Judged]] = field(default_factory=list)
    counters: dict[CounterKey, Score] = field(default_factory=dict)

    def count(self, shop_id: ShopId, agent_id: PersonId | None, judged: Judged) -> None:
        """Add scores to their totals."""
        for name, score in judged.scores.items():
            key = CounterKey(shop_id, name, judged.day, agent_id)
            self.counters[key] = self.counters.get(key, _NOTHING) + score


class Response:
    """Rounds and sessions of one partition's conversations."""

    name = NAME

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._machine = Machine(rules.book.readings)
        self._waits_for = rules.waits_for
        self._out = Settled()

    def begin(self, opened: Standing) -> Talk:
        """Return the state of a conversation of which nothing is known yet."""
        del opened
        return self._machine.begin()

    def delta(self) -> Changes:
        """Return an empty change."""
        return Changes()

    def apply(self, state: Talk, fact: Fact, delta: Changes) -> None:
        """Take a fact in; most settle nothing."""
        self._machine.apply(state, fact, out=self._out)
        if self._out.rounds or self._out.sessions:
            settled, self._out = self._out, Settled()
            self._judge(settled, delta)

    def as_if_over(self, state: Talk, standing: Standing, at_ms: int) -> Changes:
        """Return what would be settled if nobody answered any more. Changes nothing."""
        settled, delta = Settled(), Changes()
        self._machine.as_if_over(state, standing, at_ms, out=settled)
        self._judge(settled, delta)
        return delta

    def encode(self, state: Talk) -> bytes:
        """Return a state as it is stored."""
        return self._machine.encode(state)

    def decode(self, data: bytes) -> Talk:
        """Read a stored state."""
        return self._machine.decode(data)

    def waiting(self, state: Talk) -> Waiting:
        """Return since when the buyer waits, whoever owned the conversation meanwhile."""
        opened = [track.round_ms for track in state.tracks if track.round_ms is not None]
        if not opened:
            return NOTHING
        track = state.tracks[self._waits_for]
        return Waiting(None if track.round_ms is None else track.waiting_ms, min(opened))

    def taken_back(self, delta: Changes) -> None:
        """Forget what a poisoned record may have left half settled."""
        del delta
        self._out = Settled()

    async def load(self, session: AsyncSession, *, generation: int, partition: int) -> None:
        """Remember nothing: all that it needs stands in the conversations' states."""

    async def store(self, session: AsyncSession, deltas: Sequence[tuple[Stretch, Changes]]) -> None:
        """Store rounds and sessions, and add their totals."""
        await repository.add_rounds(
            session, [(stretch, *row) for stretch, delta in deltas for row in delta.rounds]
        )
        await repository.add_sessions(
            session, [(stretch, *row) for stretch, delta in deltas for row in delta.sessions]
        )
        await repository.count(
            session,
            [(stretch.partition, *row) for stretch, d in deltas for row in d.counters.items()],
        )

    def rows(self, delta: Changes) -> Iterable[Row]:
        """Yield rounds and sessions by place; totals where the log is whole."""
        yield from (round_row(ended, judged) for ended, judged in delta.rounds)
        yield from (session_row(settled, judged) for settled, judged in delta.sessions)
        yield from _totals(delta.counters.items())

    async def kept(self, session: AsyncSession, *, generation: int, partition: int) -> Kept:
        """Return what is stored, and where totals are not the sum of the rows."""
        mine: dict[str, Any] = {"generation": generation, "partition": partition}
        found = await repository.kept(session, mine)
        wrong = [
            ("counters", f"{counter_name(key)}: stored {stored}, rows give {summed}")
            for key, stored, summed in differences(found.counters, found.summed)
        ]
        return Kept([*found.rows, *_totals(found.counters.items())], wrong)

    def _judge(self, settled: Settled, delta: Changes) -> None:
        for ended in settled.rounds:
            judged = judge_round(self._rules, ended)
            delta.rounds.append((ended, judged))
            delta.count(ended.shop_id, ended.agent_id, judged)
        for session in settled.sessions:
            judged = judge_session(self._rules, session)
            delta.sessions.append((session, judged))
            delta.count(session.shop_id, session.agent_id, judged)


def counter_name(key: CounterKey) -> str:
    """Return what a row of totals is about, for people."""
    return f"{key.shop_id}, {key.profile}, {key.day}, {key.agent_id or 'nobody'}"


def _totals(counters: Iterable[tuple[CounterKey, Score]]) -> Iterator[Row]:
    return (counter_row(key, score) for key, score in counters if score != _NOTHING)
