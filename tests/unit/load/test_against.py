"""What is told of two checkouts that were measured in turn."""

import pytest

from tests.load.against import NEW, OLD, Round, Sample, compare, disturbed
from tests.load.checkout import administrator
from tests.load.fixed_rates import sample_of
from tests.load.machine import Others
from tests.load.probe import Probe

pytestmark = pytest.mark.unit


def played(new: float, old: float, *, new_is_disturbed: bool = False) -> Round:
    return {
        NEW: Sample({"cpu": new}, new_is_disturbed),
        OLD: Sample({"cpu": old}),
        "floor": Sample({"cpu": 10.0, "floor's own": 1.0}),
    }


def probed(**cpu_us: float) -> Probe:
    return Probe(
        system="new",
        rate=800.0,
        result={"screen_ms": {"p50": 4.0, "p99": None, "p999": 9.0}},
        archive_p99_ms=None,
        cpu_us=cpu_us,
        generator_us=1.0,
        others=Others(0.36),
    )


def test_a_ratio_is_of_one_round_and_a_median_of_each_side() -> None:
    rows = compare([played(100, 50), played(300, 100), played(200, 400)])

    assert rows[0].ratios == [2.0, 3.0, 0.5]
    assert rows[0].medians == {NEW: 200, OLD: 100, "floor": 10.0}


def test_a_disturbed_side_takes_its_round_out_of_the_ratios_and_the_other_side_stays() -> None:
    rounds = [played(1, 1), played(2, 1), played(3, 1), played(900, 9, new_is_disturbed=True)]

    assert compare(rounds)[0].ratios == [1.0, 2.0, 3.0]
    assert compare(rounds)[0].medians == {NEW: 2, OLD: 1.0, "floor": 10.0}
    assert disturbed(rounds) == 1


def test_what_only_one_side_has_is_shown_and_compared_with_nothing() -> None:
    own = compare([played(1, 1)])[1]

    assert [own.figure, own.medians, own.ratios] == ["floor's own", {"floor": 1.0}, []]


def test_a_figure_of_zero_has_no_ratio() -> None:
    assert compare([played(1, 0)])[0].ratios == []


def test_a_probe_shows_its_large_processes_and_the_sum_of_the_others() -> None:
    found = sample_of(probed(gateway=100.0, orders=2.0, aftersales=1.0))

    assert found.figures == {
        "gateway, us": 100.0,
        "other processes, us": 3.0,
        "all processes, us": 103.0,
        "p50 to the other screen, ms": 4.0,
    }
    assert found.disturbed


def test_the_administrator_is_found_in_what_up_says() -> None:
    said = "PeakDesk is up: http://127.0.0.1:7300\n  role  login  password\n"
    row = "  platform admin  admin            s3cret-_x\n  shop admin      admin@demo       other\n"

    assert administrator(said + row) == ("admin", "s3cret-_x")
    with pytest.raises(RuntimeError, match="named no platform admin"):
        administrator(said)
