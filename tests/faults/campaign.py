"""A campaign of faults: which ones to play and how often, and the table of what came of them.

Pure bookkeeping; must not know how a fault is made or played.
"""

from dataclasses import dataclass, field
from typing import Final

import pytest
from rich.table import Table

from tests.faults.stage import Fault, Load, Row

SEEDS_SHOWN: Final = 8
"""Seeds of red rounds in a table; the failures above it name them all."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which faults to play, and how often."""

    rounds: int | None
    only: tuple[str, ...]
    seed: int | None
    zone: str | None = None
    """Where the probes' shop is: a play can so cross a midnight."""

    def names(self, fault: str) -> bool:
        """Whether the fault is among those to play."""
        return not self.only or any(part.lower() in fault.lower() for part in self.only)


def wished(config: pytest.Config) -> Wish:
    """Return what the command line asks for; without the options, everything once."""
    # The options are known only where pytest was pointed at the folder that adds them.
    return Wish(
        config.getoption("rounds", None),
        tuple(config.getoption("only", None) or ()),
        config.getoption("seed", None),
        config.getoption("zone", None),
    )


@dataclass(slots=True)
class Score:
    """One fault so far. A round that began and never ended is a red one."""

    begun: list[int] = field(default_factory=list)
    rows: dict[int, Row] = field(default_factory=dict)

    @property
    def red(self) -> list[int]:
        """Seeds of the rounds that did not hold."""
        return [seed for seed in self.begun if seed not in self.rows or not self.rows[seed].held]


class Tally:
    """What came of a campaign, by fault."""

    def __init__(self, title: str, *, in_rounds: bool) -> None:
        self._title, self._in_rounds = title, in_rounds
        self._scores: dict[str, Score] = {}

    def begin(self, fault: Fault, load: Load) -> None:
        """A fault is about to be played."""
        self._scores.setdefault(fault.name, Score()).begun.append(load.seed)

    def end(self, fault: Fault, load: Load, row: Row) -> None:
        """A fault was played to its end."""
        self._scores[fault.name].rows[load.seed] = row

    def table(self) -> Table:
        """Return a row per fault."""
        shown = Table(title=self._title)
        for number, column in enumerate((*_COLUMNS, *(("red seeds",) if self._in_rounds else ()))):
            shown.add_column(column, justify="right" if number else "left", no_wrap=True)
        for fault, score in self._scores.items():
            rows, red = list(score.rows.values()), score.red
            held = f"{len(score.begun) - len(red)}/{len(score.begun)}"
            cells = [fault, *_cells(rows), held if self._in_rounds else "NO" if red else "yes"]
            if self._in_rounds:
                cells.append(" ".join(map(str, red[:SEEDS_SHOWN])) or "-")
            shown.add_row(*cells)
        return shown


_COLUMNS: Final = (
    "fault", "sent", "acked", "lost", "doubled", "order", "different",
    "first s", "normal s", "last", "held",
)  # fmt: skip


def line(fault: Fault, load: Load, row: Row) -> str:
    """Return what came of one round, and why it did not hold."""
    verdict = "held" if row.held else f"NOT HELD: {row.why}"
    return " | ".join((f"{fault.name}, seed {load.seed}", *_cells([row]), verdict))


def _cells(rows: list[Row]) -> list[str]:
    """Return counts in all and the longest times; nothing where no round came to its end."""
    if not rows:
        return ["-"] * (len(_COLUMNS) - 2)
    slowest = max(rows, key=lambda row: row.recovery.normal_s)
    reports = [row.report for row in rows]
    return [
        str(sum(report.sent for report in reports)),
        str(sum(report.acknowledged for report in reports)),
        str(sum(report.findings.lost for report in reports)),
        str(sum(report.findings.doubled for report in reports)),
        str(sum(report.findings.out_of_order for report in reports)),
        str(sum(len(report.monitor.differences) for report in reports)),
        f"{max(row.recovery.first_s for row in rows):.1f}",
        f"{slowest.recovery.normal_s:.1f}",
        slowest.recovery.slowest or "-",
    ]
