"""Probes say through which moment a partition is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.probes import Probes

pytestmark = pytest.mark.unit


def test_a_partition_is_read_through_a_probe_once_its_offset_is_passed() -> None:
    probes = Probes()
    probes.asked(1_000, end_offset=10)
    probes.asked(2_000, end_offset=20)

    assert probes.passed(9) is None
    assert probes.passed(10) == 1_000
    assert probes.passed(19) == 1_000
    assert probes.passed(25) == 2_000


def test_a_quiet_partition_is_read_through_each_probe_at_once() -> None:
    probes = Probes()
    probes.asked(1_000, end_offset=7)

    assert probes.passed(7) == 1_000
    probes.asked(2_000, end_offset=7)
    assert probes.passed(7) == 2_000


def test_steady_traffic_never_keeps_a_probe_from_being_passed() -> None:
    """A record every 40 ms, read 100 ms behind: the reader is never at the end, and current."""
    probes = Probes()
    for at_ms in range(0, 60_000, 20):
        if at_ms % 200 == 0:
            probes.asked(at_ms, end_offset=at_ms // 40)
        probes.passed(max(0, at_ms - 100) // 40)
        if at_ms >= 1_000:
            assert probes.through_ms is not None
            assert at_ms - probes.through_ms <= 400


def test_a_partition_taken_over_begins_without_a_moment() -> None:
    probes = Probes()
    probes.asked(1_000, end_offset=1)
    probes.passed(1)
    probes.forget()

    assert probes.through_ms is None
    assert probes.passed(100) is None


@given(
    st.lists(st.tuples(st.integers(1, 500), st.integers(0, 50), st.integers(0, 80)), max_size=200)
)
def test_through_is_never_later_than_what_was_read(steps: list[tuple[int, int, int]]) -> None:
    """However far behind a reader is, what it is complete through was truly read."""
    probes, at_ms, end, read = Probes(kept=4), 0, 0, 0
    ends: dict[int, int] = {}
    for later, grown, more in steps:
        at_ms, end = at_ms + later, end + grown
        probes.asked(at_ms, end_offset=end)
        ends[at_ms] = end
        read = min(end, read + more)
        through = probes.passed(read)
        assert through is None or ends[through] <= read


def test_a_reader_far_behind_keeps_few_probes_and_still_moves_on() -> None:
    probes = Probes(kept=8)
    for at_ms in range(1, 10_001):
        probes.asked(at_ms, end_offset=at_ms)

    moments = {probes.passed(offset) for offset in range(10_001)}
    assert len(moments) <= 9
    assert probes.through_ms == 10_000
