"""A bench of catching up, run by two checkouts in turn, each by its own `./peakdesk test`.

Each starts its own Kafka and PostgreSQL, and they are down before the other's turn. Knows the shape
of what a bench stores; must not know what it measures.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any, Final

from tests.load.against import NEW, OLD, Round, Sample
from tests.load.checkout import Checkout
from tests.load.fairness import turns
from tests.load.processes import CHECKOUT

FLOORS: Final = "against"
"""In the names of the tests that measure beside floors, and of no other, in every release."""

_JUDGED: Final = "ratios"


def play(name: str, other: Checkout, *, rounds: int) -> Sequence[Round]:
    """Let both checkouts run a bench, round after round; return what each was measured at."""
    sides = {NEW: Checkout(CHECKOUT), OLD: other}
    played = []
    for number in range(rounds):
        samples = {}
        for side in turns(tuple(sides), number):
            sys.stdout.write(f"round {number + 1} of {rounds}: {side}, {sides[side].folder}\n")
            sys.stdout.flush()
            try:
                samples[side] = Sample(figures(sides[side].bench(name, only=FLOORS)))
            finally:
                sides[side].down()
        played.append(samples)
    return played


def figures(document: Mapping[str, Any]) -> dict[str, float]:
    """Return the median us of CPU per record of each contestant in what a bench has stored.

    Floors are in it too: what they differ by is the machine, for they are the same on both sides.
    """
    found: dict[str, list[float]] = {}
    for part, rounds in document.items():
        if part != _JUDGED:
            for laps in rounds:
                for name, us in _costs(laps):
                    found.setdefault(f"{part}: {name}", []).append(us)
    return {name: round(median(costs), 2) for name, costs in found.items()}


def _costs(laps: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    for name, lap in laps.items():
        yield name, lap["cpu_s"] / lap["records"] * 1e6
        for beside, cpu_s in lap["others_cpu_s"].items():
            yield f"{name}, {beside}", cpu_s / lap["records"] * 1e6
