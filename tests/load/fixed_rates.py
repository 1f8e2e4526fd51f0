"""Contestants at the same few rates, one after the other within seconds, forth and back."""

import sys
from collections.abc import Mapping, Sequence
from typing import Final

from tests.load.against import Sample
from tests.load.fairness import turns
from tests.load.probe import STEP, Probe, highest_rate, probe
from tests.load.systems import Product, System

SECONDS: Final = 8.0
HIGHEST: Final = "highest rate"
PRODUCT_GUESS: Final = 1_500.0
FLOOR_GUESS: Final = 6_000.0
"""Where the first search for a highest rate begins."""

SHOWN: Final = ("gateway", "monitor", "conversation", "kafka", "postgres")

Played = Mapping[str, Sequence[Mapping[str, Probe]]]
"""By what was asked of them, a probe of each contestant in each round."""


async def play(
    contestants: Mapping[str, System], rates: Sequence[float], *, rounds: int, highest: bool
) -> Played:
    """Probe everybody at each rate in each round; with `highest`, look for that rate as well."""
    asked = {f"{rate:g} messages/s": rate for rate in rates}
    played: dict[str, list[Mapping[str, Probe]]] = {name: [] for name in asked}
    starts = {
        who: PRODUCT_GUESS if isinstance(one, Product) else FLOOR_GUESS
        for who, one in contestants.items()
    }
    everybody = tuple(contestants.values())
    for number in range(rounds):
        sys.stdout.write(f"\nround {number + 1} of {rounds}\n")
        for one in everybody:
            if isinstance(one, Product):
                await one.renew()
        order = turns(tuple(contestants), number)
        for name, rate in asked.items():
            played[name].append(
                {
                    who: await probe(contestants[who], rate, seconds=SECONDS, beside=everybody)
                    for who in order
                }
            )
        if highest:
            tops = {
                who: await highest_rate(contestants[who], starts[who], beside=everybody)
                for who in order
            }
            starts = {who: top.rate / STEP for who, top in tops.items()}
            played.setdefault(HIGHEST, []).append(tops)
    return played


def sample_of(found: Probe, *, rate: bool = False) -> Sample:
    """Return a probe's figures: CPU by process in us a message, ms to the other screen.

    The processes beyond `SHOWN` are one sum; with `rate`, the rate itself is a figure too.
    """
    cpu = {f"{name}, us": found.cpu_us[name] for name in SHOWN if name in found.cpu_us}
    rest = sum(us for name, us in found.cpu_us.items() if name not in SHOWN)
    screen = {
        f"{name} to the other screen, ms": ms
        for name, ms in found.result["screen_ms"].items()
        if name in ("p50", "p99") and ms is not None
    }
    figures = cpu | {"other processes, us": rest, "all processes, us": found.total_us} | screen
    return Sample(({"messages/s": found.rate} if rate else {}) | figures, found.others.disturb)
