"""Response times as a measure of the fold: rounds and sessions, judged and counted as they settle.

Knows the machine, the rules and its tables; must not know how the fold goes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Self

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, ShopId
from services.monitor.directory.rules import Rules
from services.monitor.fold.measures import BookSpan, Fact, Kept, Row, Stretch, Waiting
from services.monitor.fold.spans import book_spans
from services.monitor.fold.standing import Standing
from services.monitor.profiles.domain import ProfileName, ReadingKey
from services.monitor.response import repository, talks
from services.monitor.response.domain import Round, Score, Scored, Session, Settled
from services.monitor.response.judging import judge_round, judge_session
from services.monitor.response.rollups import CounterKey, differences
from services.monitor.response.rounds import Machine
from services.monitor.response.schemas import (
    Evidence,
    Ruling,
    StoredName,
    counter_row,
    round_rows,
    session_rows,
)
from services.monitor.response.talks import Talk

NAME: Final = "response"
_NOTHING: Final = Score()


@dataclass(frozen=True, slots=True)
class Lasting:
    """What was in force, as it is, in every span: no record says when the rest did not rule.

    Settled by forgetting, a row was judged by the book of that moment, which no offset names; a
    recompute judges it by the book at the end of the log (H32, H34).
    """

    names: frozenset[str]
    readings: frozenset[ReadingKey]
    ruling: Ruling

    @classmethod
    def of(cls, rules: Rules, spans: Sequence[BookSpan]) -> Self:
        """Compare the rules at hand with the books of all spans."""
        digests = rules.book.digests
        same = {
            name: digest
            for name, digest in digests.items()
            if all(span.digests.get(name) == digest for span in spans)
        }
        first, *others = spans or [BookSpan(0, "", [r.key for r in rules.book.readings], digests)]
        readings = frozenset(map(ReadingKey, first.readings)).intersection(
            *(span.readings for span in others)
        )
        return cls(frozenset(same), readings, rules.under([], same).book.names_ruling)

    def of_them(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows of its readings."""
        return (row for row in rows if row.key[0] in self.readings)


@dataclass(slots=True)
class Changes:
    """What a batch settled, with the totals that it adds.

    `totals` are by shop, day and agent first: a round looks them up once for all its profiles.
    """

    rounds: list[tuple[Round, Scored]] = field(default_factory=list, repr=False)
    sessions: list[tuple[Session, Scored]] = field(default_factory=list, repr=False)
    totals: dict[tuple[ShopId, date, PersonId | None], dict[ProfileName, Score]] = field(
        default_factory=dict, repr=False
    )
    withdrawn_rounds: list[int] = field(default_factory=list)
    """Where rounds opened that earlier batches may have settled, to be as if they had not (H30)."""
    withdrawn_sessions: list[int] = field(default_factory=list)

    @property
    def counters(self) -> dict[CounterKey, Score]:
        """Return the totals by the row to which each is added."""
        return {
            CounterKey(shop_id, name, day, agent_id): score
            for (shop_id, day, agent_id), scores in self.totals.items()
            for name, score in scores.items()
        }

    def withdraw(self, rounds: Sequence[int], sessions: Sequence[int]) -> None:
        """Take back what was settled of a late message, in this batch and before it."""
        self.withdrawn_rounds += rounds
        self.withdrawn_sessions += sessions
        for ended, judged in [row for row in self.rounds if row[0].opened_offset in rounds]:
            self.rounds.remove((ended, judged))
            self.count(ended.shop_id, ended.agent_id, judged, times=-1)
        for session, judged in [row for row in self.sessions if row[0].started_offset in sessions]:
            self.sessions.remove((session, judged))
            self.count(session.shop_id, session.agent_id, judged, times=-1)

    def count(
        self, shop_id: ShopId, agent_id: PersonId | None, judged: Scored, *, times: int = 1
    ) -> None:
        """Add scores to their totals, or take them off."""
        totals = self.totals.setdefault((shop_id, judged.day, agent_id), {})
        for name, score in judged.scores.items():
            known = totals.get(name)
            more = score if times == 1 else score.times(times)
            totals[name] = more if known is None else known + more


class Response:
    """Rounds and sessions of one partition's conversations."""

    name = NAME
    refolded = True

    def __init__(self, rules: Rules, evidence: Evidence | None = None) -> None:
        self._rules = rules
        self._machine = Machine(rules.book.readings, rules.directory.calendar)
        self._waits_for = rules.waits_for
        self._out = Settled()
        self._evidence = Evidence() if evidence is None else evidence
        self._lasting = Lasting.of(rules, [])
        book = rules.book
        self.book: BookSpan | None = BookSpan(0, book.fingerprint, self._machine.keys, book.digests)
        self.remembers_ms = max(max(r.gap_ms, r.rejoin_ms) for r in book.readings)

    def begin(self, opened: Standing) -> Talk:
        """Return the state of a conversation of which nothing is known yet."""
        del opened
        return self._machine.begin()

    def delta(self) -> Changes:
        """Return an empty change."""
        return Changes()

    def apply(self, state: Talk, fact: Fact, delta: Changes) -> None:
        """Take a fact in; most settle nothing."""
        out = self._out
        self._machine.apply(state, fact, out=out)
        if out.rounds or out.sessions or out.withdrawn_rounds or out.withdrawn_sessions:
            self._out = Settled()
            if out.withdrawn_rounds or out.withdrawn_sessions:
                delta.withdraw(out.withdrawn_rounds, out.withdrawn_sessions)
            self._judge(out, delta)

    def as_if_over(self, state: Talk, standing: Standing, at_ms: int) -> Changes:
        """Return what would be settled if nobody answered any more. Changes nothing."""
        delta = Changes()
        self.settle(state, standing, at_ms, delta=delta)
        return delta

    def settle(self, state: Talk, standing: Standing, at_ms: int, *, delta: Changes) -> None:
        """Settle the same for good."""
        settled = Settled()
        self._machine.as_if_over(state, standing, at_ms, out=settled)
        self._judge(settled, delta)

    def shown(self, state: Talk, standing: Standing, at_ms: int) -> Changes:
        """Return the same but for who waits on a day that is not over: he is shown as waiting."""
        settled, delta = Settled(), Changes()
        self._machine.as_if_over(state, standing, at_ms, out=settled, but_who_waits=True)
        self._judge(settled, delta)
        return delta

    def under(self, span: BookSpan) -> "Response":
        """Return the measure by the readings of an earlier book and what of its rules is known."""
        readings = [ReadingKey(key) for key in span.readings]
        return Response(self._rules.under(readings, span.digests), self._evidence)

    def encode(self, state: Talk) -> bytes:
        """Return a state as it is stored."""
        return self._machine.encode(state)

    def decode(self, data: bytes) -> Talk:
        """Read a stored state."""
        return self._machine.decode(data)

    def waiting(self, state: Talk) -> Waiting:
        """Return since when the buyer waits, whoever owned the conversation meanwhile."""
        track = talks.first_known(state.tracks, self._waits_for)
        waits = track is not None and track.round_ms is not None
        since = track.waiting_ms if track is not None and waits else None
        known = [track for track in state.tracks if track is not None]
        opened = [track.round_ms for track in known if track.round_ms is not None]
        owed = [t for t in known if t.session_ms is not None and not t.session_settled]
        return Waiting(since, min(opened, default=None), bool(opened or owed))

    def taken_back(self, delta: Changes) -> None:
        """Forget what a poisoned record may have left half settled."""
        del delta
        self._out = Settled()

    async def load(self, session: AsyncSession, *, generation: int, partition: int) -> None:
        """Remember nothing: all that it needs stands in the conversations' states."""

    async def store(self, session: AsyncSession, deltas: Sequence[tuple[Stretch, Changes]]) -> None:
        """Store rounds and sessions, and add their totals; take back first what was late.

        A commit that failed is tried again with the same deltas, so they stay as they are.
        """
        totals: list[tuple[int, CounterKey, Score]] = []
        for stretch, delta in deltas:
            counters = delta.counters
            for key, score in (await self._withdraw(session, stretch, delta)).items():
                counters[key] = counters.get(key, _NOTHING) + score
            totals += [(stretch.partition, *row) for row in counters.items()]
        await repository.add_rounds(
            session, [(stretch, *row) for stretch, delta in deltas for row in delta.rounds]
        )
        await repository.add_sessions(
            session, [(stretch, *row) for stretch, delta in deltas for row in delta.sessions]
        )
        await repository.count(session, totals)

    async def begin_anew(self, session: AsyncSession, stretch: Stretch) -> None:
        """Remove rounds and sessions from there on; older ones stay, and are the new totals."""
        await repository.begin_anew(session, stretch)

    def rows(self, delta: Changes) -> Iterable[Row]:
        """Yield rounds and sessions by reading and place; totals where the log is whole.

        After `kept`, what no record settled is yielded as far as that one compares it, too.
        """
        lasting = self._lasting
        for ended, judged in delta.rounds:
            if ended.settled_offset:
                yield from round_rows(ended, judged, self._ruling)
            else:
                yield from lasting.of_them(round_rows(ended, judged, lasting.ruling))
        for settled, judged in delta.sessions:
            if settled.settled_offset:
                yield from session_rows(settled, judged, self._ruling)
            else:
                yield from lasting.of_them(session_rows(settled, judged, lasting.ruling))
        yield from _totals(delta.counters.items())

    async def kept(self, session: AsyncSession, *, generation: int, partition: int) -> Kept:
        """Return what is stored, and where totals are not the sum of the rows.

        Scores and totals are compared for profiles that were in force as they are (H32).
        """
        mine: dict[str, Any] = {"generation": generation, "partition": partition}
        found = await repository.kept(session, mine)
        self._evidence.unstaffed.update(found.evidence.unstaffed)
        self._evidence.unplaced.update(found.evidence.unplaced)
        wrong = [
            ("counters", key.day, f"{counter_name(key)}: stored {stored}, rows give {summed}")
            for key, stored, summed in differences(found.counters, found.summed)
        ]
        spans = await book_spans(session, mine)
        lasting = self._lasting = Lasting.of(self._rules, spans)
        ruled = [(span.first_offset, self._as_in(span)) for span in spans]
        rows: list[Row] = []
        for one in found.rows:
            at = one.settled_offset
            if at:
                rows += one.rows(next((r for o, r in reversed(ruled) if o <= at), self._ruling))
            else:
                rows += lasting.of_them(one.rows(lasting.ruling))

        def skips(row: Row) -> str | None:
            counted = row.table != "counters" or row.key[1] in lasting.names
            return None if counted else "other_profiles"

        return Kept([*rows, *_totals(found.counters.items())], wrong, skips)

    def _as_in(self, span: BookSpan) -> Ruling:
        """Return which profiles ruled in a span, and still do as they did then."""
        return self._rules.under([], span.digests).book.names_ruling

    @property
    def _ruling(self) -> Ruling:
        return self._rules.book.names_ruling

    async def _withdraw(
        self, session: AsyncSession, stretch: Stretch, delta: Changes
    ) -> dict[CounterKey, Score]:
        if not (delta.withdrawn_rounds or delta.withdrawn_sessions):
            return {}
        return await repository.withdraw(
            session, stretch, rounds=delta.withdrawn_rounds, sessions=delta.withdrawn_sessions
        )

    def _judge(self, settled: Settled, delta: Changes) -> None:
        for ended in settled.rounds:
            name = "rounds", ended.readings[0], ended.opened_offset
            ended.unstaffed = self._unstaffed(name, ended.shop_id, ended.opened_ms)
            if name in self._evidence.unplaced:
                ended.session_offset = None
            judged = judge_round(self._rules, ended)
            delta.rounds.append((ended, judged))
            delta.count(ended.shop_id, ended.agent_id, judged)
        for session in settled.sessions:
            name = "sessions", session.readings[0], session.started_offset
            session.unstaffed = self._unstaffed(name, session.shop_id, session.started_ms)
            judged = judge_session(self._rules, session)
            delta.sessions.append((session, judged))
            delta.count(session.shop_id, session.agent_id, judged)

    def _unstaffed(self, name: StoredName, shop_id: ShopId, at_ms: int) -> bool | None:
        if name in self._evidence.unstaffed:
            return self._evidence.unstaffed[name]
        return self._rules.staffing.unstaffed(shop_id, at_ms)


def counter_name(key: CounterKey) -> str:
    """Return what a row of totals is about, for people."""
    return f"{key.shop_id}, {key.profile}, {key.day}, {key.agent_id or 'nobody'}"


def _totals(counters: Iterable[tuple[CounterKey, Score]]) -> Iterator[Row]:
    return (counter_row(key, score) for key, score in counters if score != _NOTHING)
