"""Percentiles from bins: near what sorting gives, and the same to the bit in any order (N8)."""

import math
import random
from collections import Counter
from itertools import pairwise

import pytest
from ddsketch import DDSketch
from hypothesis import given
from hypothesis import strategies as st

from kit.sketch import EDGES, LONGEST_MS, Sketch, bin_of, exact, middle_ms, rank, whole

pytestmark = pytest.mark.unit

DURATIONS = st.lists(st.integers(0, LONGEST_MS - 1), max_size=60)
ASKED = (500, 900, 950, 990, 1000)


def test_a_bin_s_middle_is_within_one_percent_or_a_millisecond_of_all_that_it_holds() -> None:
    for number, (low, above) in enumerate(pairwise(EDGES), 1):
        for held in (low, above - 1):
            assert bin_of(held) == number
            assert abs(middle_ms(number) - held) <= max(1, held / 100)


def test_bins_are_few_reach_over_the_longest_day_and_count_what_is_longer_in_the_last() -> None:
    assert len(EDGES) < 900
    assert bin_of(LONGEST_MS - 1) <= bin_of(LONGEST_MS * 2) == len(EDGES) - 1
    assert bin_of(-1) == bin_of(0) == 1


def test_these_edges_are_stored_by_number_and_stay_as_they_are() -> None:
    assert EDGES[:3] == (0, 1, 2)
    assert EDGES[100:103] == (100, 102, 104)
    assert (len(EDGES), EDGES[-1]) == (807, 90_974_206)


@given(DURATIONS, st.sampled_from(ASKED))
def test_a_percentile_is_the_nearest_rank_within_one_percent(
    durations: list[int], permille: int
) -> None:
    found, truth = Sketch.of(durations).percentile(permille), exact(durations, permille)

    assert (found is None) == (truth is None)
    if found is not None and truth is not None:
        assert abs(found - truth) <= max(1, truth / 100)


@given(st.lists(DURATIONS, max_size=8), st.randoms(use_true_random=False))
def test_whatever_is_added_in_whatever_order_is_the_same_to_the_bit(
    parts: list[list[int]], chance: random.Random
) -> None:
    at_once = Sketch.of([one for part in parts for one in part])
    shuffled = [Sketch.of(part) for part in parts]
    chance.shuffle(shuffled)

    assert whole(shuffled) == at_once
    assert whole(shuffled).longest_ms == max((one for part in parts for one in part), default=None)


@pytest.mark.parametrize(("samples", "ninetieth"), [(1, 1), (9, 9), (10, 9), (11, 10), (100, 90)])
def test_a_percentile_s_rank_is_rounded_up_and_no_float_takes_part(
    samples: int, ninetieth: int
) -> None:
    assert rank(900, samples) == ninetieth
    assert rank(1000, samples) == samples


def nearest(alike: Counter[int], wanted: int) -> int:
    """Return the sample of this rank."""
    passed = 0
    for sample in sorted(alike):
        passed += alike[sample]
        if passed >= wanted:
            return sample
    raise AssertionError


@pytest.mark.parametrize(
    "samples", [100_000, pytest.param(10_000_000, marks=pytest.mark.heavy)], ids=str
)
def test_sorting_and_the_reference_library_say_the_same_within_one_percent(
    samples: int,
) -> None:
    chance = random.Random(20261111)
    reference = DDSketch(0.01)
    parts: list[Sketch] = []
    alike = Counter[int]()
    step = 100_000
    for _ in range(samples // step):
        drawn = [min(LONGEST_MS - 1, int(chance.lognormvariate(10, 1.5))) for _ in range(step)]
        parts.append(Sketch.of(drawn))
        alike.update(drawn)
        for one in drawn:
            reference.add(one)
    found = whole(parts)

    assert found.samples == samples
    for permille in (500, 900, 950, 990):
        ours = found.percentile(permille) or 0
        assert math.isclose(ours, nearest(alike, rank(permille, samples)), rel_tol=0.01)
        # The reference is off by one percent, too, and maybe to the other side.
        theirs = reference.get_quantile_value(permille / 1000)
        assert theirs is not None
        assert math.isclose(ours, theirs, rel_tol=0.02)
