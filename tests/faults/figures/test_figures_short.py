"""The short version of `just prove figures`, in the default run: fewer logs, and nothing dies."""

import pytest

from tests.faults.figures.lone import LoneMonitor
from tests.faults.figures.proving import Proof, long_ago
from tests.faults.figures.rules import shipped
from tests.faults.figures.stories import cases, in_order

pytestmark = pytest.mark.fault

SEED = 5
CASES = 8
DAYS_AGO = 20


async def test_the_monitor_counts_what_metrics_md_says(lone: LoneMonitor) -> None:
    drawn = cases(SEED, CASES, first_day=long_ago(DAYS_AGO))
    proof = Proof(lone, shipped())

    await proof.written(in_order(drawn))
    verdict = await proof.judged([case.shop for case in drawn])

    assert verdict.compared.total() > 500
    assert not verdict.differences, "\n".join(map(str, verdict.differences[:30]))
