"""The buyer's clock steps as its cases say; each reads them in its own way beside this one."""

from typing import Any

import pytest

from contracts.clock import Clock, step
from tests.suites.clock import CASES, expected, facts

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_clock_stands_where_the_case_says(case: dict[str, Any]) -> None:
    clock = Clock()
    for fact, place in facts(case):
        clock = step(clock, fact, place)

    assert clock == expected(case)


def test_a_clock_that_is_not_moved_is_the_same_one() -> None:
    stood = Clock(seat=7)
    case = {"log": [{"said": "auto", "at": 1}, {"told": "stage_changed", "at": 2, "version": 8}]}

    assert all(step(stood, fact, place) is stood for fact, place in facts(case))
