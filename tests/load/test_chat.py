"""`just bench chat`: the chat path against its floors, interleaved, on real broker and database.

Prints every probe as it comes, then the ratios of each round with their spread, and writes all as
JSON. Nothing here is a timed test: it fails only if a measurement could not be made.
"""

import sys
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import pytest

from launcher.instance import ports
from tests import platform as platforms
from tests.load import against, fixed_rates, ground, systems
from tests.load.checkout import Checkout
from tests.load.fairness import counted
from tests.load.judging import Bench
from tests.load.probe import STEP, Probe, highest_rate, probe
from tests.load.ratios import Ratio
from tests.load.systems import System
from tests.load.warming import warm_up
from tests.platform import Platform

pytestmark = [pytest.mark.load, pytest.mark.timeout(3_600)]


@dataclass(frozen=True, slots=True)
class Field:
    """The platform and what is measured on it."""

    platform: Platform
    relay: systems.Relay
    floor: systems.Floor
    product: systems.Product


@dataclass(frozen=True, slots=True)
class Round:
    """The probes of one round, taken in turn."""

    floor_top: Probe
    product_top: Probe
    floor_quarter: Probe
    product_quarter: Probe
    floor_half: Probe
    product_half: Probe
    product_two_half: Probe
    relay_quarter: Probe


async def test_the_chat_path_against_its_floors(bench: Bench) -> None:
    platform = platforms.running(ground.INSTANCE)
    async with AsyncExitStack() as stack:
        port = ports.choose(1).base
        relay = await systems.relay(stack, port)
        floor = await systems.floor(stack, platform, port + 1)
        product = await systems.product(stack, platform, dsn=systems.database_of(platform))
        await warm_up([product], bench.warm_up_s)
        field = Field(platform, relay, floor, product)
        rounds: list[Round] = []
        for number in range(bench.rounds):
            sys.stdout.write(f"\nround {number + 1} of {bench.rounds}\n")
            await product.renew()
            rounds.append(await play(field, rounds[-1] if rounds else None))
    bench.report(
        "Chat path against floor (b), ratio per round",
        ratios(rounds),
        {
            "rounds": [
                {name: getattr(one, name).as_json() for name in Round.__slots__} for one in rounds
            ]
        },
    )


async def test_the_chat_path_against_another_checkout(bench: Bench, other: Checkout) -> None:
    async with AsyncExitStack() as stack:
        platform = stack.enter_context(platforms.lent(ground.INSTANCE))
        sys.stdout.write(f"\nstarting {other.folder}\n")
        guest = stack.enter_context(other.running())
        new = await systems.product(
            stack, platform, name=against.NEW, dsn=systems.database_of(platform)
        )
        old = await systems.product(stack, guest, name=against.OLD)
        floor = await systems.floor(stack, platform, ports.choose(1).base)
        await warm_up([new, old], bench.warm_up_s)
        contestants: dict[str, System] = {against.NEW: new, against.OLD: old, "floor b": floor}
        played = await fixed_rates.play(
            contestants, bench.rates, rounds=bench.rounds_against, highest=bench.highest
        )
    against.report(
        "chat-against",
        {
            asked: [
                {
                    who: fixed_rates.sample_of(one, rate=asked == fixed_rates.HIGHEST)
                    for who, one in probes.items()
                }
                for probes in rounds
            ]
            for asked, rounds in played.items()
        },
        {
            "against": str(other.folder),
            "probes": {
                asked: [{who: one.as_json() for who, one in probes.items()} for probes in rounds]
                for asked, rounds in played.items()
            },
        },
    )


async def play(field: Field, before: Round | None) -> Round:
    """Take the probes of one round; the search for a highest rate begins below the last one."""
    relay, floor, product = everybody = field.relay, field.floor, field.product
    measure = partial(probe, beside=everybody)
    floor_start = before.floor_top.rate / STEP if before else fixed_rates.FLOOR_GUESS
    product_start = before.product_top.rate / STEP if before else fixed_rates.PRODUCT_GUESS
    floor_top = await highest_rate(floor, floor_start, beside=everybody)
    product_top = await highest_rate(product, product_start, beside=everybody)
    quarter, half = floor_top.rate / 4, product_top.rate / 2
    floor_quarter, product_quarter = await measure(floor, quarter), await measure(product, quarter)
    floor_half, product_half = await measure(floor, half), await measure(product, half)
    async with systems.two_gateways(product, field.platform) as two:
        product_two_half = await measure(two, half)
    return Round(
        floor_top=floor_top,
        product_top=product_top,
        floor_quarter=floor_quarter,
        product_quarter=product_quarter,
        floor_half=floor_half,
        product_half=product_half,
        product_two_half=product_two_half,
        relay_quarter=await measure(relay, quarter),
    )


def ratios(rounds: Sequence[Round]) -> list[Ratio]:
    """Return the targets with the ratio of each round in which nobody disturbed its two sides."""
    tops = _each((r.product_top, r.floor_top) for r in rounds)
    quarters = _each((r.product_quarter, r.floor_quarter) for r in rounds)
    halves = _each((r.product_half, r.floor_half) for r in rounds)
    twos = _each((r.product_two_half, r.product_half) for r in rounds)
    p50 = [_screen(own, "p50") / _screen(floor, "p50") for own, floor in quarters]
    p99 = [_screen(own, "p99") / _screen(floor, "p99") for own, floor in quarters]
    core = [floor.cpu_us["gateway"] / own.cpu_us["gateway"] for own, floor in tops]
    two = [two.cpu_us["gateway"] / one.cpu_us["gateway"] for two, one in twos]
    return [
        Ratio("highest rate within the limits", [p.rate / f.rate for p, f in tops], least=0.5),
        Ratio("p50 to the other screen at a quarter", p50, most=2),
        Ratio("p99 to the other screen at a quarter", p99, most=3),
        Ratio("messages per gateway core", core, least=0.6),
        Ratio(
            "CPU of all processes per message at half",
            [own.total_us / floor.total_us for own, floor in halves],
            most=2,
        ),
        # Two cores do not let two gateways carry more than one: what they cost is compared.
        Ratio("gateway CPU per message, two against one", two, most=1.15),
    ]


def _each(pairs: Iterable[tuple[Probe, Probe]]) -> Sequence[tuple[Probe, Probe]]:
    return counted(list(pairs), lambda pair: any(one.others.disturb for one in pair))


def _screen(found: Probe, name: str) -> float:
    return float(found.result["screen_ms"][name])
