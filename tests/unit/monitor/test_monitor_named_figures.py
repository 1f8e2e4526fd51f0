"""What a figure is made of, and in which hours of a day something counts (N7)."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.people import ShopId
from profiles import WindowBy
from services.monitor.access.schemas import Why
from services.monitor.calendar.domain import Calendar
from services.monitor.figures.domain import hours
from services.monitor.figures.layout import Found, Told, put_together
from services.monitor.figures.metrics import (
    Anchored,
    Buyers,
    Metric,
    Missed,
    Ratio,
    Spread,
    Totals,
    Unit,
    WholeSessions,
    ratio,
)
from services.monitor.figures.repository import Asked, RowKey
from services.monitor.figures.schemas import FigureWindow
from services.monitor.profiles.domain import ProfileName, Window
from services.monitor.response.domain import Score

pytestmark = pytest.mark.unit

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
QUIET = Totals(present=False)
OUTSIDE = Totals()
UNHEARD = Totals(Score(unanswered=1, sessions=1), Buyers(1, 1, 1))


def test_every_figure_says_why_it_is_empty() -> None:
    for metric in Metric:
        quiet, outside = ratio(metric, QUIET), ratio(metric, OUTSIDE)

        assert (quiet.denominator, quiet.why) == (0, Why.NO_TRAFFIC)
        assert (outside.denominator, outside.why) == (0, Why.OUTSIDE_WINDOW)
        assert quiet.sample is None


@pytest.mark.parametrize(
    "metric", [one for one in Metric if one.startswith(("frt", "art", "round"))]
)
def test_where_nobody_answered_it_says_so(metric: Metric) -> None:
    assert ratio(metric, UNHEARD)[:3] == (0, 0, Why.NO_ANSWER)


def test_who_answered_without_an_assignment_has_no_time_from_it() -> None:
    bot = Totals(Score(sessions=1, first_responses=1, first_response_ms=9), anchored=Anchored(9, 9))

    assert ratio(Metric.FRT_TO_HUMAN, bot)[:2] == (9, 1)
    assert ratio(Metric.FRT_ASSIGNED, bot)[:3] == (0, 0, Why.NO_EVENTS)


def test_sessions_without_a_round_that_counts_were_not_asked_anything() -> None:
    asked = Totals(Score(sessions=2), whole=WholeSessions(2, 1))

    assert ratio(Metric.REPLY_RATE_SESSIONS, Totals(Score(sessions=2))).why is Why.NOT_ASKED
    assert ratio(Metric.REPLY_RATE_SESSIONS, asked)[:2] == (1, 2)


def test_what_was_missed_is_the_sum_of_its_kinds() -> None:
    totals = Totals(missed=Missed(9, assigned_silent=1, never_assigned=2, left_in_queue=3))
    kinds = (Metric.ASSIGNED_SILENT, Metric.NEVER_ASSIGNED, Metric.LEFT_IN_QUEUE)

    assert [ratio(one, totals)[:2] for one in kinds] == [(1, 9), (2, 9), (3, 9)]
    assert ratio(Metric.MISSED, totals)[:2] == (6, 9)


def test_a_percentile_is_a_sample_and_only_the_longest_is_exact_in_bins() -> None:
    totals = Totals(rounds=Spread(1, 2, 3, 4, 5, samples=200_000, exact=False))

    assert ratio(Metric.ROUND_P90, totals) == Ratio(
        180_000, 200_000, Why.OUTSIDE_WINDOW, Unit.MS, 2, exact=False
    )
    assert ratio(Metric.ROUND_MAX, totals)[-2:] == (5, True)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Asia/Shanghai", date(2026, 11, 11)),
        ("Europe/Berlin", date(2026, 3, 29)),
        ("Europe/Berlin", date(2026, 10, 25)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),
    ],
)
@pytest.mark.parametrize(("start", "end"), [(8, 23), (0, 24), (2, 3)])
def test_hours_are_those_that_the_clock_on_the_wall_shows(
    zone: str, day: date, start: int, end: int
) -> None:
    calendar = Calendar(ZoneInfo(zone))
    window = Window(start * HOUR_MS, end * HOUR_MS)
    midnights = [calendar.midnight(day + timedelta(days=number)) for number in range(3)]
    edges = hours(calendar, window, midnights)

    assert edges == sorted(edges)
    for at_ms in range(midnights[0], midnights[-1], 7 * MINUTE_MS):
        inside = sum(edge <= at_ms for edge in edges) % 2 == 1
        assert inside == window.holds(calendar.into_day_ms(at_ms))


@pytest.mark.parametrize(("day", "length"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_of_23_or_25_hours_counts_all_of_them(day: date, length: int) -> None:
    calendar = Calendar(ZoneInfo("Europe/Berlin"))
    midnight = calendar.midnight(day)
    edges = hours(calendar, Window(0, 24 * HOUR_MS), [midnight, calendar.day_end(midnight)])

    assert edges == [midnight, midnight + length * HOUR_MS]


async def test_what_nobody_had_has_a_row_though_only_people_see_the_session() -> None:
    window = FigureWindow(by=WindowBy.SESSION_START, start="09:00", end="23:00", zone="UTC")
    asked = Asked(ShopId("s"), ProfileName("p"), 0, HOUR_MS, by_agent=True)
    found = Found({}, {}, missed={RowKey(0, None): Missed(1, never_assigned=1)})
    rows = await put_together(asked, found, Told((Metric.MISSED,), window))

    assert [(row.agent_id, row.sessions) for row in rows] == [(None, 0)]
    [missed] = rows[0].metrics.values()
    assert (missed.numerator, missed.denominator) == (1, 1)
