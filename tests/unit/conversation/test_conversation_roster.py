"""Whom no gateway carries is lost after thirty observed seconds, and not before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.people import PersonId
from services.conversation.presence.roster import LOST_AFTER_S, STEP_MOST_S, Roster

pytestmark = pytest.mark.unit

CHEN, WANG = PersonId("chen"), PersonId("wang")
NOBODY: frozenset[PersonId] = frozenset()
ONE, BOTH = frozenset({CHEN}), frozenset({CHEN, WANG})


def _observe(roster: Roster, seconds: int) -> None:
    for _ in range(seconds):
        roster.observe(1.0)


def test_somebody_just_expected_has_the_full_time() -> None:
    roster = Roster()
    _observe(roster, 100)

    assert roster.lost(ONE) == []
    _observe(roster, 30)
    assert roster.lost(ONE) == []
    _observe(roster, 1)
    assert roster.lost(ONE) == [CHEN]


def test_a_report_starts_the_time_anew() -> None:
    roster = Roster()
    roster.lost(BOTH)
    _observe(roster, 29)
    roster.report([CHEN])
    _observe(roster, 2)

    assert roster.lost(BOTH) == [WANG]


def test_time_that_nobody_could_observe_does_not_count() -> None:
    roster = Roster()
    roster.lost(ONE)

    roster.observe(3600.0)

    assert STEP_MOST_S < LOST_AFTER_S
    assert roster.lost(ONE) == []


def test_whoever_was_away_and_comes_back_is_not_lost_at_once() -> None:
    roster = Roster()
    roster.lost(ONE)
    roster.report([CHEN])
    _observe(roster, 40)
    assert roster.lost(NOBODY) == []

    assert roster.lost(ONE) == []


def test_whoever_was_carried_before_he_was_expected_has_the_time_since_then() -> None:
    roster = Roster()
    roster.report([CHEN])
    _observe(roster, 5)
    roster.lost(ONE)

    _observe(roster, 25)
    assert roster.lost(ONE) == []
    _observe(roster, 1)
    assert roster.lost(ONE) == [CHEN]


def test_carried_names_those_whom_a_gateway_carries() -> None:
    roster = Roster()
    roster.report([CHEN])
    _observe(roster, 30)

    assert roster.carried([CHEN, WANG]) == [CHEN]
    _observe(roster, 1)
    assert roster.carried([CHEN, WANG]) == []


@given(
    st.lists(
        st.one_of(st.sampled_from(["report", "look"]), st.floats(0, 5).map(lambda s: round(s, 1))),
        max_size=60,
    )
)
def test_nobody_is_lost_within_thirty_seconds_of_a_report(steps: list[str | float]) -> None:
    roster = Roster()
    roster.lost(ONE)
    since = 0.0
    for step in steps:
        match step:
            case "report":
                roster.report([CHEN])
                since = 0.0
            case "look":
                assert (roster.lost(ONE) == [CHEN]) is (since > LOST_AFTER_S + 1e-6) or (
                    abs(since - LOST_AFTER_S) < 1e-6
                )
            case float(seconds):
                roster.observe(seconds)
                since += min(seconds, STEP_MOST_S)
