"""What is read from the figures that another release's bench has stored."""

from typing import Any

import pytest

from tests.load.alternating import figures

pytestmark = pytest.mark.unit


def lap(cpu_s: float, postgres_s: float) -> dict[str, Any]:
    beside = {"postgres": postgres_s}
    return {"records": 1_000, "cpu_s": cpu_s, "wall_s": 1.0, "others_cpu_s": beside}


def test_a_contestant_costs_the_median_of_its_laps_by_record_itself_and_beside_it() -> None:
    document = {
        "ratios": [{"name": "to counting", "values": [0.1]}],
        "turns as written": [{"fold": lap(cpu, cpu / 10)} for cpu in (0.03, 0.09, 0.05)],
    }

    assert figures(document) == {
        "turns as written: fold": 50.0,
        "turns as written: fold, postgres": 5.0,
    }
