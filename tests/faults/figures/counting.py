"""Sums and counts of metrics.md from readings: by profile, by local day, by agent and by shop.

Counts; what a round or session is, `reading` says.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from itertools import product
from typing import NamedTuple

from tests.faults.figures.log import Fact, Roster
from tests.faults.figures.reading import Reading, Round, Session
from tests.faults.figures.rules import Rule


class Whose(NamedTuple):
    """Whose figures of which day; `agent` None: the whole shop's."""

    day: date
    agent: str | None


@dataclass(slots=True)
class Figures:
    """Counts, and durations in milliseconds, named as the public API names them.

    Percentiles are of answered rounds, capped as in `round_ms`; None: there is none. `buyers`
    asked, and of them some had a round that nobody answered, some one that was not in time;
    `served` counts them by agent, and of them those to whom he was slow as often as the rule says.
    Of `sessions_asked` a round counts on their day, and in `sessions_in_time` all of those were.
    """

    rounds: int = 0
    round_ms: int = 0
    unanswered: int = 0
    within: int = 0
    slow: int = 0
    first_responses: int = 0
    first_response_ms: int = 0
    first_within: int = 0
    sessions: int = 0
    round_p50_ms: int | None = None
    round_p90_ms: int | None = None
    round_p95_ms: int | None = None
    round_max_ms: int | None = None
    buyers: int = 0
    buyers_unanswered: int = 0
    buyers_late: int = 0
    served: int = 0
    served_slowly: int = 0
    sessions_asked: int = 0
    sessions_in_time: int = 0
    round_p99_ms: int | None = None
    first_p50_ms: int | None = None
    first_p90_ms: int | None = None
    first_max_ms: int | None = None


Table = dict[Whose, Figures]


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation: its buyer, its facts, and its partition's log time.

    What is open is judged as of that time.
    """

    buyer: str
    facts: tuple[Fact, ...]
    log_time: int


@dataclass(frozen=True, slots=True)
class _Judged:
    """What one round comes to. `averaged` None: it is in no average."""

    averaged: int | None
    answered: bool = False
    within: bool = False
    slow: bool = False


@dataclass(slots=True)
class _Sum:
    """What one agent or the shop has on one day."""

    figures: Figures = field(default_factory=Figures)
    answered: list[int] = field(default_factory=list)
    buyers: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)
    firsts: list[int] = field(default_factory=list)
    slow: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By agent and buyer; 0 where he was never slow to him."""

    def add_round(self, judged: _Judged, buyer: str, owner: str | None) -> None:
        mine = self.figures
        if owner is not None:
            self.slow[owner, buyer] += judged.slow
        if judged.averaged is not None:
            if judged.answered:
                self.answered.append(judged.averaged)
            mine.rounds += 1
            mine.round_ms += judged.averaged
            mine.slow += judged.slow
        mine.within += judged.within
        mine.unanswered += not judged.answered
        self.buyers.add(buyer)
        if not judged.answered:
            self.unanswered.add(buyer)
        if not judged.within:
            self.late.add(buyer)

    def add_session(self, rule: Rule, took: int | None, rounds: Sequence[bool]) -> None:
        mine = self.figures
        mine.sessions += 1
        mine.sessions_asked += bool(rounds)
        mine.sessions_in_time += bool(rounds) and all(rounds)
        if took is not None:
            self.firsts.append(took)
            mine.first_responses += 1
            mine.first_response_ms += took
            mine.first_within += took <= rule.first_within

    def whole(self, rule: Rule) -> Figures:
        mine = self.figures
        if self.firsts:
            mine.first_p50_ms, mine.first_p90_ms, mine.first_max_ms = (
                nearest(self.firsts, percent) for percent in (50, 90, 100)
            )
        mine.served = len(self.slow)
        mine.served_slowly = sum(times >= rule.slow_times for times in self.slow.values())
        if self.answered:
            mine.round_p50_ms, mine.round_p90_ms, mine.round_p95_ms, mine.round_max_ms = (
                nearest(self.answered, percent) for percent in (50, 90, 95, 100)
            )
            mine.round_p99_ms = nearest(self.answered, 99)
        mine.buyers, mine.buyers_unanswered = len(self.buyers), len(self.unanswered)
        mine.buyers_late = len(self.late)
        return mine


def nearest(samples: Sequence[int], percent: int) -> int:
    """Return the ⌈q n⌉-th smallest sample."""
    rank = -(-percent * len(samples) // 100)
    return sorted(samples)[max(1, rank) - 1]


def table(rules: Sequence[Rule], talks: Iterable[Talk], roster: Roster) -> Table:
    """Return one shop's figures under the versions of one rule, as of `log_time` (H34).

    Each version counts what began on its days, by its own reading of all facts.
    """
    sums: dict[Whose, _Sum] = {}
    for rule, talk in product(rules, talks):
        reading = Reading(rule).read(talk.facts, until=talk.log_time)
        of_its_day: dict[int, list[bool]] = {}
        for one in reading.rounds:
            judged = _judged(rule, one, talk.log_time)
            if judged is not None and _counts(rule, roster, one.session, began=one.opened):
                if one.midnight == one.session.midnight:
                    of_its_day.setdefault(id(one.session), []).append(judged.within)
                for whose in _whose(rule, one.opened, one.owner):
                    sums.setdefault(whose, _Sum()).add_round(judged, talk.buyer, one.owner)
        for session in reading.sessions:
            if _is_waiting(reading, session, talk.log_time):
                continue
            if _counts(rule, roster, session, began=session.start):
                for whose in _whose(rule, session.start, session.owner):
                    sums.setdefault(whose, _Sum()).add_session(
                        rule, _first_response(session), of_its_day.get(id(session), [])
                    )
    return {
        whose: found.whole(next(one for one in rules if one.begins <= whose.day < one.ends))
        for whose, found in sums.items()
    }


def _whose(rule: Rule, at: int, owner: str | None) -> Iterator[Whose]:
    day = rule.day_of(at)
    yield Whose(day, None)
    if owner is not None:
        yield Whose(day, owner)


def _counts(rule: Rule, roster: Roster, session: Session, *, began: int) -> bool:
    """Whether the rule counts what began then: the session itself, or one of its rounds."""
    if not rule.holds_on(began):
        return False
    human = session.start if session.to_human is None else session.to_human
    moments = {"session_start": session.start, "to_human": human}
    if not rule.opens <= rule.time_of(moments.get(rule.window_by, began)) < rule.closes:
        return False
    if rule.same_day_only and began >= session.midnight:
        return False  # the part behind that midnight is none of that day's (golden case 5)
    return rule.leave_messages_count or not roster.nobody(began)


def _judged(rule: Rule, one: Round, now: int) -> _Judged | None:
    """Return what the round comes to as of `now`; None: it counts nowhere.

    That is a transfer that the profile does not count, and a round that is open on a day that goes
    on: it is shown as waiting (golden case 6).
    """
    midnight = one.midnight
    ended = now if one.ended is None else one.ended
    took = max(0, min(ended, midnight) - one.opened)
    uncounted = {"open"} if rule.transfer_counts else {"open", "transferred"}
    if ended < midnight and one.how in uncounted:
        return None
    if ended < midnight and one.how == "answered":
        averaged = took if rule.cap is None else min(took, rule.cap)
        return _Judged(averaged, answered=True, within=took <= rule.within, slow=took > rule.slow)
    if rule.unanswered == "exclude":
        return _Judged(None)
    if rule.unanswered == "cap":
        return _Judged(rule.cap, slow=True)
    return _Judged(took, slow=took > rule.slow)


def _is_waiting(reading: Reading, one: Session, now: int) -> bool:
    """Whether its buyer waits on a day that goes on: shown as waiting, as his round is."""
    waiting = reading.waiting
    waits = waiting is not None and waiting.session is one and one.replied is None
    return waits and now < one.midnight


def _first_response(one: Session) -> int | None:
    if one.replied is None or one.replied >= one.midnight:
        return None
    return max(0, one.replied - one.start)


def differing(one: Figures, other: Figures) -> Iterator[str]:
    """Yield the names of the figures that are not the same."""
    for named in fields(Figures):
        if getattr(one, named.name) != getattr(other, named.name):
            yield named.name
