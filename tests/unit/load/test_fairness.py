"""Who is measured when, and which measurements a median is taken of."""

import pytest

from tests.load.fairness import counted, turns
from tests.load.machine import Others, Reading

pytestmark = pytest.mark.unit


def is_odd(number: int) -> bool:
    return number % 2 == 1


def test_every_second_round_goes_back() -> None:
    order = [one for number in range(4) for one in turns("ABC", number)]

    assert "".join(order) == "ABCCBAABCCBA"


def test_what_was_disturbed_does_not_count_where_three_others_are() -> None:
    assert counted([1, 2, 3, 4, 6], is_odd) == [2, 4, 6]


def test_with_fewer_than_three_others_all_count() -> None:
    assert counted([1, 2, 3, 4], is_odd) == [1, 2, 3, 4]


def test_others_used_what_the_machine_worked_less_what_the_bench_used() -> None:
    before = Reading(busy_s=100.0, own_s=40.0, at=1_000.0)

    assert Reading(busy_s=115.0, own_s=52.0, at=1_010.0).others_since(before) == Others(0.3)


def test_only_who_takes_more_than_a_third_of_a_core_disturbs() -> None:
    assert [Others(0.35).disturb, Others(0.35).remark] == [False, ""]
    assert "others took 0.36 cores" in Others(0.36).remark


def test_a_clock_that_ticks_unevenly_gives_nobody_less_than_nothing() -> None:
    before = Reading(busy_s=100.0, own_s=40.0, at=1_000.0)

    assert Reading(busy_s=110.0, own_s=50.01, at=1_010.0).others_since(before) == Others(0)
