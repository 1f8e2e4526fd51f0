"""Lays figures out as they are told: rows of sums, and beside them what was asked for by name.

Pure. Must not know SQL.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from services.monitor.access.schemas import Figure
from services.monitor.figures.domain import ROWS_LIMIT, TooManyRows
from services.monitor.figures.metrics import (
    Metric,
    Missed,
    Spread,
    Totals,
    WholeSessions,
    ratio,
)
from services.monitor.figures.repository import Asked, RoundTotals, RowKey, SessionTotals
from services.monitor.figures.schemas import FiguresRow, FigureWindow, Measured
from services.monitor.profiles.domain import Profile
from services.monitor.response.domain import Score

AT_ONCE: Final = 500
"""Rows that are made or written between two turns of the event loop, on which the fold runs, too.
"""

SETTLED_MS: Final = 5_000
"""So long behind a moment everything that was said by then is told for sure (N2)."""


@dataclass(slots=True)
class Found:
    """What was read, by row."""

    rounds: Mapping[RowKey, RoundTotals]
    sessions: Mapping[RowKey, SessionTotals]
    firsts: Mapping[RowKey, Spread] = field(default_factory=dict)
    whole: Mapping[RowKey, WholeSessions] = field(default_factory=dict)
    missed: Mapping[RowKey, Missed] = field(default_factory=dict)
    present: Collection[int] = frozenset()

    def totals(self, key: RowKey) -> Totals:
        """Return all that counts in one row."""
        rounds = self.rounds.get(key, RoundTotals(key, Score()))
        sessions = self.sessions.get(key, SessionTotals())
        return Totals(
            score=rounds.score + sessions.score,
            buyers=rounds.buyers,
            rounds=rounds.spread,
            firsts=self.firsts.get(key, Spread()),
            anchored=sessions.anchored,
            whole=self.whole.get(key, WholeSessions()),
            missed=self.missed.get(key, Missed()),
            present=key.part in self.present,
        )


@dataclass(frozen=True, slots=True)
class Told:
    """What every figure of an answer says of itself (N7)."""

    metrics: Sequence[Metric] = ()
    window: FigureWindow | None = None
    version: date | None = None
    as_of_ms: int | None = None
    through_ms: int = 0
    """Through which moment everything is told that figures rest on."""
    rules_since: date | None = None
    """Where it lies behind the stretch's first day: before it no version was in force."""
    sessions_since: date | None = None
    """From which day on it is known whose session's each round is."""

    def figure(self, metric: Metric, totals: Totals, *, end_ms: int) -> Measured:
        """Return one figure of a row that ends there."""
        made = ratio(metric, totals)
        provisional = self.through_ms < end_ms + SETTLED_MS
        plain = Figure.of(made.numerator, made.denominator, why=made.why, provisional=provisional)
        since = [self.rules_since]
        if metric is Metric.REPLY_RATE_SESSIONS:
            since.append(self.sessions_since)
        assert self.window is not None
        return Measured(
            value=plain.value if made.sample is None else made.sample,
            numerator=plain.numerator,
            denominator=plain.denominator,
            provisional=provisional,
            why=plain.why,
            unit=made.unit,
            exact=made.exact,
            available_from=max((one for one in since if one is not None), default=None),
            window=self.window,
            version=self.version,
            as_of=None if self.as_of_ms is None else moment(self.as_of_ms),
        )


async def put_together(question: Asked, found: Found, told: Told | None = None) -> list[FiguresRow]:
    """Return the rows of an answer, by part and then by person. Raises `TooManyRows`.

    What is asked for by name has a row for each part that has begun: an empty one says why.
    """
    told = told or Told()
    # A profile may leave out a session that people see all the same: `missed` alone tells of it.
    anything = (*found.rounds, *found.sessions, *found.missed)
    keys = {key for key in anything if question.counts(key.part)}
    if told.metrics and not question.by_agent:
        keys |= {
            RowKey(part, None)
            for part in (range(1, len(question.parts) + 1) if question.parts else [0])
            if question.counts(part) and _begun(question, part, told)
        }
    if len(keys) * max(1, len(told.metrics)) > ROWS_LIMIT:
        raise TooManyRows(
            f"An answer has {ROWS_LIMIT} rows at most, and as many figures: ask for a shorter"
            " stretch."
        )
    rows: list[FiguresRow] = []
    for key in sorted(keys, key=lambda key: (key.part, key.agent_id or "")):
        totals = found.totals(key)
        end_ms = question.end_of(key.part)
        figures = {one: told.figure(one, totals, end_ms=end_ms) for one in told.metrics}
        start = moment(question.parts[key.part - 1]) if key.part else None
        rows.append(_row(key, totals, start=start, metrics=figures))
        if len(rows) % AT_ONCE == 0:
            await asyncio.sleep(0)
    return rows


def window_of(profile: Profile, zone: str) -> FigureWindow:
    """Return which hours count under a profile."""
    window = profile.window
    return FigureWindow(
        by=profile.window_by, start=_clock(window.start_ms), end=_clock(window.end_ms), zone=zone
    )


def moment(at_ms: int) -> datetime:
    """Return a moment as it is told."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _begun(question: Asked, part: int, told: Told) -> bool:
    return part == 0 or question.parts[part - 1] <= max(told.through_ms, told.as_of_ms or 0)


def _clock(into_day_ms: int) -> str:
    minutes = into_day_ms // 60_000
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _row(
    key: RowKey, totals: Totals, *, start: datetime | None, metrics: dict[Metric, Measured]
) -> FiguresRow:
    score, spread, buyers = totals.score, totals.rounds, totals.buyers
    return FiguresRow(
        agent_id=key.agent_id,
        start=start,
        rounds=score.rounds,
        round_ms=score.round_ms,
        unanswered=score.unanswered,
        within=score.within,
        slow=score.slow,
        sessions=score.sessions,
        first_responses=score.first_responses,
        first_response_ms=score.first_response_ms,
        first_within=score.first_within,
        round_p50_ms=spread.p50_ms,
        round_p90_ms=spread.p90_ms,
        round_p95_ms=spread.p95_ms,
        round_max_ms=spread.max_ms,
        buyers=buyers.asked,
        buyers_unanswered=buyers.unanswered,
        buyers_late=buyers.late,
        metrics=metrics,
    )
