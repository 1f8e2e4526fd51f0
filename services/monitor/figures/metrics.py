"""Which figures may be asked for, and what each is made of. Pure values.

A figure is a numerator over a denominator, or the sample of a rank; where there is nothing to
divide by it says why.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from kit.sketch import rank
from services.monitor.access.schemas import Why
from services.monitor.response.domain import Score


class Metric(StrEnum):
    """A figure by its name."""

    FRT = "frt"
    FRT_BUYER_FIRST_MSG = "frt_buyer_first_msg"
    FRT_TO_HUMAN = "frt_to_human"
    FRT_ASSIGNED = "frt_assigned"
    FRT_P50 = "frt_p50"
    FRT_P90 = "frt_p90"
    FRT_P95 = "frt_p95"
    FRT_P99 = "frt_p99"
    FRT_MAX = "frt_max"
    ART = "art"
    ROUND_P50 = "round_p50"
    ROUND_P90 = "round_p90"
    ROUND_P95 = "round_p95"
    ROUND_P99 = "round_p99"
    ROUND_MAX = "round_max"
    FIRST_WITHIN = "first_within"
    REPLY_RATE = "reply_rate"
    REPLY_RATE_SESSIONS = "reply_rate_sessions"
    REPLY_RATE_BUYERS = "reply_rate_buyers"
    UNANSWERED_BUYERS = "unanswered_buyers"
    MISSED = "missed"
    ASSIGNED_SILENT = "assigned_silent"
    NEVER_ASSIGNED = "never_assigned"
    LEFT_IN_QUEUE = "left_in_queue"
    SLOW_BUYERS = "slow_buyers"


class Unit(StrEnum):
    """What a figure is measured in."""

    MS = "ms"
    SHARE = "share"


class Spread(NamedTuple):
    """Percentiles of durations; None where there is none. Many samples are counted in bins."""

    p50_ms: int | None = None
    p90_ms: int | None = None
    p95_ms: int | None = None
    p99_ms: int | None = None
    max_ms: int | None = None
    samples: int = 0
    exact: bool = True


class Anchored(NamedTuple):
    """First responses from each anchor; not every session was assigned to somebody."""

    buyer_first_msg_ms: int = 0
    to_human_ms: int = 0
    assigned_ms: int = 0
    assigned: int = 0


class Buyers(NamedTuple):
    """Buyers, each once a day; of those whom an agent had, each once a day and agent."""

    asked: int = 0
    unanswered: int = 0
    late: int = 0
    served: int = 0
    served_slowly: int = 0


class WholeSessions(NamedTuple):
    """Sessions in which somebody asked; in time: each of their rounds was."""

    asked: int = 0
    in_time: int = 0


class Missed(NamedTuple):
    """Sessions as people see them, and those that got no answer on their day, by why."""

    sessions: int = 0
    assigned_silent: int = 0
    never_assigned: int = 0
    left_in_queue: int = 0

    def plus(self, other: "Missed") -> "Missed":
        """Return both together."""
        return Missed(*(mine + more for mine, more in zip(self, other, strict=True)))


class Totals(NamedTuple):
    """All that counts in one row, `present`: whether anything happened there at all."""

    score: Score = Score()
    buyers: Buyers = Buyers()
    rounds: Spread = Spread()
    firsts: Spread = Spread()
    anchored: Anchored = Anchored()
    whole: WholeSessions = WholeSessions()
    missed: Missed = Missed()
    present: bool = True


class Ratio(NamedTuple):
    """A figure: `numerator / denominator`, unless its value is a sample."""

    numerator: int
    denominator: int
    why: Why = Why.OUTSIDE_WINDOW
    """Why there is nothing to divide by, if there is not."""
    unit: Unit = Unit.SHARE
    sample: int | None = None
    exact: bool = True


def ratio(metric: Metric, totals: Totals) -> Ratio:
    """Return what a figure is made of."""
    found = _RATIOS[metric](totals)
    return found if totals.present else found._replace(why=Why.NO_TRAFFIC)


def _first(total_ms: Callable[[Totals], int]) -> Callable[[Totals], Ratio]:
    def made(totals: Totals) -> Ratio:
        score = totals.score
        why = Why.NO_ANSWER if score.sessions else Why.OUTSIDE_WINDOW
        return Ratio(total_ms(totals), score.first_responses, why, Unit.MS)

    return made


def _from_assignment(totals: Totals) -> Ratio:
    anchored, score = totals.anchored, totals.score
    why = Why.NO_ANSWER if score.sessions else Why.OUTSIDE_WINDOW
    return Ratio(
        anchored.assigned_ms,
        anchored.assigned,
        Why.NO_EVENTS if score.first_responses else why,
        Unit.MS,
    )


def _mean(totals: Totals) -> Ratio:
    score = totals.score
    why = Why.NO_ANSWER if score.unanswered else Why.OUTSIDE_WINDOW
    return Ratio(score.round_ms, score.rounds, why, Unit.MS)


def _percentile(of: str, name: str, permille: int) -> Callable[[Totals], Ratio]:
    def made(totals: Totals) -> Ratio:
        spread: Spread = getattr(totals, of)
        score = totals.score
        counted = score.unanswered or score.rounds if of == "rounds" else score.sessions
        return Ratio(
            rank(permille, spread.samples) if spread.samples else 0,
            spread.samples,
            Why.NO_ANSWER if counted else Why.OUTSIDE_WINDOW,
            Unit.MS,
            getattr(spread, name),
            spread.exact or permille == _MAX,
        )

    return made


def _sessions_in_time(totals: Totals) -> Ratio:
    why = Why.NOT_ASKED if totals.score.sessions else Why.OUTSIDE_WINDOW
    return Ratio(totals.whole.in_time, totals.whole.asked, why)


def _missed(kinds: Callable[[Missed], int]) -> Callable[[Totals], Ratio]:
    return lambda totals: Ratio(kinds(totals.missed), totals.missed.sessions)


_MAX: Final = 1000
_PERCENTILES: Final = (
    ("p50", "p50_ms", 500), ("p90", "p90_ms", 900), ("p95", "p95_ms", 950),
    ("p99", "p99_ms", 990), ("max", "max_ms", _MAX),
)  # fmt: skip

_RATIOS: Final[Mapping[Metric, Callable[[Totals], Ratio]]] = {
    Metric.FRT: _first(lambda one: one.score.first_response_ms),
    Metric.FRT_BUYER_FIRST_MSG: _first(lambda one: one.anchored.buyer_first_msg_ms),
    Metric.FRT_TO_HUMAN: _first(lambda one: one.anchored.to_human_ms),
    Metric.FRT_ASSIGNED: _from_assignment,
    Metric.ART: _mean,
    Metric.FIRST_WITHIN: lambda one: Ratio(one.score.first_within, one.score.sessions),
    Metric.REPLY_RATE: lambda one: Ratio(
        one.score.within,
        one.score.rounds,
        Why.NO_ANSWER if one.score.unanswered else Why.OUTSIDE_WINDOW,
    ),
    Metric.REPLY_RATE_SESSIONS: _sessions_in_time,
    Metric.REPLY_RATE_BUYERS: lambda one: Ratio(
        one.buyers.asked - one.buyers.late, one.buyers.asked
    ),
    Metric.UNANSWERED_BUYERS: lambda one: Ratio(one.buyers.unanswered, one.buyers.asked),
    Metric.MISSED: _missed(lambda missed: sum(missed[1:])),
    Metric.ASSIGNED_SILENT: _missed(lambda missed: missed.assigned_silent),
    Metric.NEVER_ASSIGNED: _missed(lambda missed: missed.never_assigned),
    Metric.LEFT_IN_QUEUE: _missed(lambda missed: missed.left_in_queue),
    Metric.SLOW_BUYERS: lambda one: Ratio(one.buyers.served_slowly, one.buyers.served),
    **{
        Metric(f"{what}_{name}"): _percentile(of, column, permille)
        for what, of in (("frt", "firsts"), ("round", "rounds"))
        for name, column, permille in _PERCENTILES
    },
}
