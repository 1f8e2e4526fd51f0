"""What a bench compares: ratios of each round, printed, stored and held against the last release.

A ratio compares what was measured in one round, so that a neighbour on the machine hits both
sides. Must not know what is measured.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tests.load.processes import CHECKOUT

RESULTS: Final = CHECKOUT / ".peakdesk" / "bench"
CAPACITY: Final = CHECKOUT / "docs" / "capacity.md"

ROUNDS: Final = 3
ROUNDS_OF_A_CHECK: Final = 5
"""So many rounds give a median that one bad neighbour does not move."""

TOLERANCE: Final = 0.05
"""A median may be worse by so much of itself, or by twice its spread if that is more."""

_COLUMNS: Final = 5
_HEADING: Final = "## Targets"


@dataclass(frozen=True, slots=True)
class Ratio:
    """One comparison in each round. Without `least` and `most` it explains and promises nothing."""

    name: str
    values: Sequence[float]
    least: float | None = None
    most: float | None = None

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return median(self.values)

    @property
    def target(self) -> str:
        """The bound in words."""
        if self.least is not None:
            return f">= {self.least:g}"
        return "" if self.most is None else f"<= {self.most:g}"

    @property
    def verdict(self) -> str:
        """Whether the median keeps its bound."""
        if not self.target:
            return ""
        met = self.median >= (self.least or 0) and self.median <= (self.most or float("inf"))
        return "met" if met else "missed"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a ratio was when `docs/capacity.md` was written; `spread` is largest minus smallest."""

    median: float
    spread: float


def report(title: str, file: str, found: Sequence[Ratio], figures: Mapping[str, Any]) -> None:
    """Print the ratios and store everything."""
    table = Table(title=title)
    for heading in ("what", "min", "median", "max", "target", ""):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for ratio in found:
        numbers = (min(ratio.values), ratio.median, max(ratio.values))
        table.add_row(ratio.name, *(f"{n:.2f}" for n in numbers), ratio.target, ratio.verdict)
    Console(width=110).print(table)
    RESULTS.mkdir(parents=True, exist_ok=True)
    stored = [asdict(ratio) | {"verdict": ratio.verdict} for ratio in found]
    path = RESULTS / f"{file}.json"
    path.write_text(json.dumps({"ratios": stored, **figures}, indent=1), encoding="utf-8")
    sys.stdout.write(f"All figures: {path.relative_to(CHECKOUT)}\n")


def references(bench: str, page: Path = CAPACITY) -> dict[str, Reference]:
    """Return what the page says of a bench's ratios, by name. Raises ValueError for a bad row."""
    known = {}
    for name, ratio, middle, spread in _rows(page.read_text(encoding="utf-8")):
        if name == bench:
            known[ratio] = Reference(float(middle), float(spread))
    return known


def worse(found: Sequence[Ratio], known: Mapping[str, Reference]) -> list[str]:
    """Return a sentence for each promised ratio that is worse than it was, or has no reference."""
    sentences = []
    for ratio in found:
        if not ratio.target:
            continue
        before = known.get(ratio.name)
        if before is None:
            sentences.append(f"{ratio.name}: docs/capacity.md has no target of this name")
            continue
        allowed = max(TOLERANCE * before.median, 2 * before.spread)
        more = ratio.median - before.median
        if (more if ratio.most is not None else -more) > allowed:
            sentences.append(
                f"{ratio.name}: {ratio.median:.2f}, was {before.median:.2f};"
                f" {allowed:.2f} worse are allowed"
            )
    return sentences


def _rows(page: str) -> Iterator[tuple[str, str, str, str]]:
    _, _, behind = page.partition(_HEADING)
    section, _, _ = behind.partition("\n## ")
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| `"):
            continue
        if len(cells) != _COLUMNS:
            raise ValueError(f"docs/capacity.md: not {_COLUMNS} cells: {line}")
        bench, ratio, _, middle, spread = cells
        yield bench.strip("`"), ratio, middle, spread
