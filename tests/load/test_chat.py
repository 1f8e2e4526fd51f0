"""`just bench chat`: the chat path against its floors, interleaved, on real broker and database.

Prints every probe as it comes, then the ratios of each round with their spread, and writes all as
JSON. Nothing here is a timed test: it fails only if a measurement could not be made.
"""

import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median
from typing import Final

import pytest
from rich.console import Console
from rich.table import Table

from launcher import ports
from tests import platform as platforms
from tests.load import systems
from tests.load.probe import Probe, highest_rate, probe
from tests.load.processes import CHECKOUT

pytestmark = [pytest.mark.load, pytest.mark.timeout(3_600)]

ROUNDS: Final = 3
FLOOR_START: Final = 6_000.0
PRODUCT_START: Final = 1_500.0
RESULTS: Final = CHECKOUT / ".peakdesk" / "bench" / "chat.json"


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


@dataclass(frozen=True, slots=True)
class Ratio:
    """One target: what is compared, in each round, and what it should be."""

    name: str
    target: str
    values: Sequence[float]
    met: bool


async def test_the_chat_path_against_its_floors() -> None:
    platform = platforms.running()
    async with AsyncExitStack() as stack:
        port = ports.choose(1).base
        relay = await systems.relay(stack, port)
        floor = await systems.floor(stack, platform, port + 1)
        product = await systems.product(stack, platform)
        rounds: list[Round] = []
        floor_start, product_start = FLOOR_START, PRODUCT_START
        for number in range(ROUNDS):
            sys.stdout.write(f"\nround {number + 1} of {ROUNDS}\n")
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
    report(rounds)


def report(rounds: Sequence[Round]) -> None:
    """Print and store what was found."""
    found = ratios(rounds)
    table = Table(title="Chat path against floor (b), ratio per round")
    for heading in ("what", "min", "median", "max", "target", ""):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for ratio in found:
        values = [f"{value:.2f}" for value in (min(ratio.values), median(ratio.values))]
        verdict = "met" if ratio.met else "missed"
        table.add_row(ratio.name, *values, f"{max(ratio.values):.2f}", ratio.target, verdict)
    Console(width=110).print(table)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "ratios": [
            {"name": r.name, "target": r.target, "values": list(r.values), "met": r.met}
            for r in found
        ],
        "rounds": [
            {name: getattr(one, name).as_json() for name in Round.__slots__} for one in rounds
        ],
    }
    RESULTS.write_text(json.dumps(document, indent=1), encoding="utf-8")
    sys.stdout.write(f"All figures: {RESULTS.relative_to(CHECKOUT)}\n")


def ratios(rounds: Sequence[Round]) -> list[Ratio]:
    """Return the targets with the ratio of each round."""
    tops = [r.product_top.rate / r.floor_top.rate for r in rounds]
    p50 = [_screen(r.product_quarter, "p50") / _screen(r.floor_quarter, "p50") for r in rounds]
    p99 = [_screen(r.product_quarter, "p99") / _screen(r.floor_quarter, "p99") for r in rounds]
    core = [r.floor_top.cpu_us["gateway"] / r.product_top.cpu_us["gateway"] for r in rounds]
    cpu = [r.product_half.total_us / r.floor_half.total_us for r in rounds]
    two = [r.product_two_half.cpu_us["gateway"] / r.product_half.cpu_us["gateway"] for r in rounds]
    return [
        Ratio("highest rate within the limits", ">= 0.5", tops, median(tops) >= 0.5),
        Ratio("p50 to the other screen at a quarter", "<= 2", p50, median(p50) <= 2),
        Ratio("p99 to the other screen at a quarter", "<= 3", p99, median(p99) <= 3),
        Ratio("messages per gateway core", ">= 0.6", core, median(core) >= 0.6),
        Ratio("CPU of all processes per message at half", "<= 2", cpu, median(cpu) <= 2),
        # Two cores do not let two gateways carry more than one: what they cost is compared.
        Ratio("gateway CPU per message, two against one", "<= 1.15", two, median(two) <= 1.15),
    ]


def _screen(found: Probe, name: str) -> float:
    return float(found.result["screen_ms"][name])
