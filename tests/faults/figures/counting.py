"""Sums and counts of metrics.md from readings: by profile, by local day, by agent and by shop.

Counts; what a round or session is, `reading` says.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from typing import NamedTuple

from tests.faults.figures.log import Fact, Roster
from tests.faults.figures.reading import Reading, Round, Session
from tests.faults.figures.rules import Rule, day_of, midnight_after, time_of


class Whose(NamedTuple):
    """Whose figures of which day; `agent` None: the whole shop's."""

    day: date
    agent: str | None


@dataclass(slots=True)
class Figures:
    """Counts, and sums in milliseconds, named as the public API names them."""

    rounds: int = 0
    round_ms: int = 0
    unanswered: int = 0
    within: int = 0
    slow: int = 0
    first_responses: int = 0
    first_response_ms: int = 0
    first_within: int = 0
    sessions: int = 0

    def add(self, more: "Figures") -> None:
        """Add another's sums and counts."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(more, one.name))


Table = dict[Whose, Figures]


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation's facts, and its partition's log time: what is open is judged as of it."""

    facts: tuple[Fact, ...]
    log_time: int


def table(rule: Rule, talks: Iterable[Talk], roster: Roster) -> Table:
    """Return one shop's figures under one rule, open ones judged as if over (H34)."""
    found: Table = {}
    for talk in talks:
        reading = Reading(rule).read(talk.facts)
        for whose, figures in _counted(reading, talk.log_time, roster):
            shop = Whose(whose.day, None)
            for key in (shop,) if whose.agent is None else (shop, whose):
                found.setdefault(key, Figures()).add(figures)
    return found


def _counted(reading: Reading, now: int, roster: Roster) -> Iterator[tuple[Whose, Figures]]:
    rule = reading.rule
    for round_ in reading.rounds:
        moment = _moment(rule, round_.session, round_.opened)
        if _counts(rule, roster, moment, began=round_.opened):
            yield Whose(day_of(round_.opened), round_.owner), _of_round(rule, round_, now)
    for session in reading.sessions:
        moment = _moment(rule, session, session.start)
        if session.asked is not None and _counts(rule, roster, moment, began=session.start):
            yield Whose(day_of(session.start), session.owner), _of_session(rule, session)


def _moment(rule: Rule, session: Session, opened: int) -> int | None:
    """Return what must lie in the rule's window; None: it never happened."""
    moments = {"session_start": session.start, "to_human": session.to_human}
    return moments.get(rule.window_by, opened)


def _counts(rule: Rule, roster: Roster, moment: int | None, *, began: int) -> bool:
    if moment is None or not rule.opens <= time_of(moment) < rule.closes:
        return False
    return rule.leave_messages_count or not roster.nobody(began)


def _of_round(rule: Rule, one: Round, now: int) -> Figures:
    midnight = midnight_after(one.opened)
    ended = now if one.ended is None else one.ended
    took = max(0, min(ended, midnight) - one.opened)
    if ended < midnight and one.how == "transferred" and not rule.transfer_counts:
        return Figures()
    if ended < midnight and one.how == "answered":
        counted = took if rule.cap is None else min(took, rule.cap)
        return Figures(
            rounds=1, round_ms=counted, within=took <= rule.within, slow=took > rule.slow
        )
    if rule.unanswered == "exclude":
        return Figures(unanswered=1)
    counted = rule.cap if rule.unanswered == "cap" and rule.cap is not None else took
    return Figures(rounds=1, round_ms=counted, unanswered=1, slow=counted > rule.slow)


def _of_session(rule: Rule, one: Session) -> Figures:
    if one.asked is None or one.replied is None or one.replied >= midnight_after(one.start):
        return Figures(sessions=1)
    took = max(0, one.replied - one.asked)
    return Figures(
        sessions=1,
        first_responses=1,
        first_response_ms=took,
        first_within=took <= rule.first_within,
    )
