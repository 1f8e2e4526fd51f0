"""`just bench chat`: the chat path against its floors, interleaved, on real broker and database.

Prints every probe as it comes, then the ratios of each round with their spread, and writes all as
JSON. Nothing here is a timed test: it fails only if a measurement could not be made.
"""

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import pytest

from launcher.instance import ports
from tests import platform as platforms
from tests.load import ground, systems
from tests.load.judging import Bench
from tests.load.probe import Probe, highest_rate, probe
from tests.load.ratios import Ratio

pytestmark = [pytest.mark.load, pytest.mark.timeout(3_600)]

FLOOR_START: Final = 6_000.0
PRODUCT_START: Final = 1_500.0


@dataclass(frozen=True, slots=True)
class Round:
    """The probes of one round, taken in turn."""

    floor_top: Probe
    product_top: Probe
    floor_quarter: Probe
    product_quarter: Probe
    floor_half: Probe
    product_half: Probe
    relay_quarter: Probe
    product_two_half: Probe


async def test_the_chat_path_against_its_floors(bench: Bench) -> None:
    platform = platforms.running(ground.INSTANCE)
    async with AsyncExitStack() as stack:
        port = ports.choose(1).base
        relay = await systems.relay(stack, port)
        floor = await systems.floor(stack, platform, port + 1)
        product = await systems.product(stack, platform)
        rounds: list[Round] = []
        floor_start, product_start = FLOOR_START, PRODUCT_START
        for number in range(bench.rounds):
            sys.stdout.write(f"\nround {number + 1} of {bench.rounds}\n")
            await product.renew()
            floor_top = await highest_rate(floor, floor_start)
            product_top = await highest_rate(product, product_start)
            quarter, half = floor_top.rate / 4, product_top.rate / 2
            floor_quarter, product_quarter = (
                await probe(floor, quarter),
                await probe(product, quarter),
            )
            floor_half, product_half = await probe(floor, half), await probe(product, half)
            async with systems.two_gateways(product) as two:
                product_two_half = await probe(two, half)
            rounds.append(
                Round(
                    floor_top=floor_top,
                    product_top=product_top,
                    floor_quarter=floor_quarter,
                    product_quarter=product_quarter,
                    floor_half=floor_half,
                    product_half=product_half,
                    relay_quarter=await probe(relay, quarter),
                    product_two_half=product_two_half,
                )
            )
            floor_start, product_start = floor_top.rate / 1.25, product_top.rate / 1.25
    bench.report(
        "Chat path against floor (b), ratio per round",
        ratios(rounds),
        {
            "rounds": [
                {name: getattr(one, name).as_json() for name in Round.__slots__} for one in rounds
            ]
        },
    )


def ratios(rounds: Sequence[Round]) -> list[Ratio]:
    """Return the targets with the ratio of each round."""
    tops = [r.product_top.rate / r.floor_top.rate for r in rounds]
    p50 = [_screen(r.product_quarter, "p50") / _screen(r.floor_quarter, "p50") for r in rounds]
    p99 = [_screen(r.product_quarter, "p99") / _screen(r.floor_quarter, "p99") for r in rounds]
    core = [r.floor_top.cpu_us["gateway"] / r.product_top.cpu_us["gateway"] for r in rounds]
    cpu = [r.product_half.total_us / r.floor_half.total_us for r in rounds]
    two = [r.product_two_half.cpu_us["gateway"] / r.product_half.cpu_us["gateway"] for r in rounds]
    return [
        Ratio("highest rate within the limits", tops, least=0.5),
        Ratio("p50 to the other screen at a quarter", p50, most=2),
        Ratio("p99 to the other screen at a quarter", p99, most=3),
        Ratio("messages per gateway core", core, least=0.6),
        Ratio("CPU of all processes per message at half", cpu, most=2),
        # Two cores do not let two gateways carry more than one: what they cost is compared.
        Ratio("gateway CPU per message, two against one", two, most=1.15),
    ]


def _screen(found: Probe, name: str) -> float:
    return float(found.result["screen_ms"][name])
