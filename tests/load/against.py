"""This checkout against another: what both were measured at in turn, by figure, and new to old.

A ratio compares what was measured in one round, within seconds. Must not know what a figure means.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tests.load.fairness import counted
from tests.load.processes import CHECKOUT
from tests.load.ratios import RESULTS

NEW: Final = "new"
OLD: Final = "old"
WIDTH: Final = 110


@dataclass(frozen=True, slots=True)
class Sample:
    """What one side was measured at once, by figure; and whether somebody disturbed it."""

    figures: Mapping[str, float]
    disturbed: bool = False


Round = Mapping[str, Sample]
"""A sample of `NEW`, of `OLD`, and of whoever else took part."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: the median of each side that has it, and new to old in each round that counts."""

    figure: str
    medians: Mapping[str, float]
    ratios: Sequence[float]


def compare(rounds: Sequence[Round]) -> Sequence[Row]:
    """Return a row for each figure, in the order in which the sides name them."""
    sides = list(rounds[0])
    figures = dict.fromkeys(name for one in rounds[0].values() for name in one.figures)
    pairs = counted(rounds, lambda one: one[NEW].disturbed or one[OLD].disturbed)
    return [
        Row(
            name,
            {side: middle for side in sides if (middle := _median(rounds, side, name)) is not None},
            [
                new / old
                for one in pairs
                if (new := one[NEW].figures.get(name)) and (old := one[OLD].figures.get(name))
            ],
        )
        for name in figures
    ]


def disturbed(rounds: Sequence[Round]) -> int:
    """Return how many samples somebody disturbed."""
    return sum(sample.disturbed for one in rounds for sample in one.values())


def report(file: str, compared: Mapping[str, Sequence[Round]], figures: Mapping[str, Any]) -> None:
    """Print a table for each of what was compared, and store all as `FILE.json`."""
    stored: dict[str, Any] = {}
    for title, rounds in compared.items():
        rows = compare(rounds)
        samples = sum(map(len, rounds))
        _show(f"{title} ({disturbed(rounds)} of {samples} samples disturbed)", rows)
        stored[title] = {
            "rows": [asdict(row) for row in rows],
            "rounds": [{side: asdict(one) for side, one in played.items()} for played in rounds],
        }
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{file}.json"
    path.write_text(json.dumps(stored | dict(figures), indent=1), encoding="utf-8")
    sys.stdout.write(f"All figures: {path.relative_to(CHECKOUT)}\n")


def _median(rounds: Sequence[Round], side: str, figure: str) -> float | None:
    found = [one[side].figures for one in counted(rounds, lambda one: one[side].disturbed)]
    values = [figures[figure] for figures in found if figure in figures]
    return median(values) if values else None


def _show(title: str, rows: Sequence[Row]) -> None:
    sides = list(dict.fromkeys(side for row in rows for side in row.medians))
    table = Table(title=title)
    table.add_column("median")
    for heading in (*sides, f"{NEW} to {OLD}", "least", "most", "rounds"):
        table.add_column(heading, justify="right")
    for row in rows:
        medians = [f"{row.medians[side]:.2f}" if side in row.medians else "-" for side in sides]
        table.add_row(row.figure, *medians, *_spread(row.ratios))
    Console(width=WIDTH).print(table)


def _spread(ratios: Sequence[float]) -> Sequence[str]:
    if not ratios:
        return ("-", "-", "-", "0")
    shown = (median(ratios), min(ratios), max(ratios))
    return (*(f"{number:.3f}" for number in shown), str(len(ratios)))
