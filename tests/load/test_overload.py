"""`just bench overload`: more comes than is carried, from clients that send again as they are told.

What arrives is held against the highest rate of the same round. Nothing here is a timed test.
"""

import sys
from contextlib import AsyncExitStack
from typing import Final

import pytest

from tests import platform as platforms
from tests.load import ground, systems
from tests.load.judging import Bench
from tests.load.probe import Probe, highest_rate, probe
from tests.load.ratios import Ratio

pytestmark = [pytest.mark.load, pytest.mark.timeout(3_600)]

START: Final = 1_500.0
STEP: Final = 1.25
SECONDS: Final = 20.0
TIMES: Final = (1.5, 2.0)
"""Of the highest rate: so much is offered."""

LEAST: Final = 0.8


async def test_overload_levels_off(bench: Bench) -> None:
    platform = platforms.running(ground.INSTANCE)
    tops: list[Probe] = []
    over: dict[float, list[Probe]] = {times: [] for times in TIMES}
    start = START
    async with AsyncExitStack() as stack:
        product = await systems.product(stack, platform)
        for number in range(bench.rounds):
            sys.stdout.write(f"\nround {number + 1} of {bench.rounds}\n")
            await product.renew()
            tops.append(await highest_rate(product, start))
            start = tops[-1].rate / STEP
            for times, probes in over.items():
                found = await probe(product, tops[-1].rate * times, seconds=SECONDS, resends=True)
                probes.append(found)
                sys.stdout.write(
                    f"    arrived {found.result['goodput_per_s']}/s"
                    f"  least served {found.result['least_share']}"
                    f"  refused {found.result['refused']}"
                    f"  most for one message {found.result['most_refusals']}\n"
                )
    bench.report(
        f"What arrives in {SECONDS:g} s of overload",
        [
            Ratio(
                f"goodput at {times:g} times the highest rate",
                [
                    found.result["goodput_per_s"] / top.rate
                    for found, top in zip(probes, tops, strict=True)
                ],
                least=LEAST,
            )
            for times, probes in over.items()
        ],
        {
            "tops": [top.as_json() for top in tops],
            "over": {
                str(times): [one.as_json() for one in probes] for times, probes in over.items()
            },
        },
    )
