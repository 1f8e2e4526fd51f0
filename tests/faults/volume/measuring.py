"""Cost among many rows against cost among few: repetitions side by side, medians, and a verdict.

Each repetition asks both databases, one right after the other and by turns the other first, so that
a neighbour on the machine hits both. Must not know what is measured.
"""

import gc
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from tests.faults.volume.ground import Ground
from tests.faults.volume.masses import MASSES
from tests.faults.volume.subjects import SHOP, Subject
from tests.plans import caught, explain

RESULTS: Final = Path(__file__).resolve().parents[3] / ".peakdesk" / "bench"

ALLOWED: Final = 0.15
"""What costs more by so much of itself needs a reason."""

WARM: Final = 6
"""Unmeasured repetitions: the driver's statements get their lasting plans by the fifth."""

MOST: Final = 8
"""Where the interval of the growth has 15 % in it, repetitions go on, to so many times as many."""

SLACK_MS: Final = 0.5
"""What a round trip may take longer without more work; more of it would be another way of working,
which the server chose for the driver's lasting plan and does not show when asked to explain."""

PASSED_OVER: Final = 12
"""Rows read for one that is shown. The planner may walk through everybody's rows by time where the
shop's own, a tenth of them, are not worth their index."""

DESCENT: Final = 20
"""Blocks that lead to the first row: a few levels of an index or two, and the table's ends."""

_SIGMAS: Final = 1.96
"""Of the ranks between which a median lies in 95 of 100 cases."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How the server answered once: by which indexes, from how many blocks, reading which rows."""

    way: str
    blocks: int
    rows: int
    """Those that were passed over are among them."""
    whole: tuple[str, ...]
    """Filled tables that were read whole."""


@dataclass
class Row:
    """What came of one subject. Medians, in milliseconds.

    `growth` is the median of the pairs, 0.1 is 10 %, and `between` its interval of 95 %.
    """

    what: str
    empty_ms: float
    full_ms: float
    growth: float
    between: tuple[float, float]
    pairs: int
    size: int
    verdict: str = ""
    reason: str = ""
    seen: tuple[Seen, Seen] | None = None
    """Among few rows and among many."""

    @property
    def held(self) -> bool:
        """Whether it grew as little as it may, or has a reason."""
        return self.verdict != "NOT HELD"


async def compare(subject: Subject, empty: Ground, full: Ground, *, repeats: int) -> Row:
    """Measure a subject in both databases and judge it.

    Raises AssertionError where the two answer differently, for then the times mean nothing.
    """
    row = await _measured(subject, empty, full, repeats)
    reason = ""
    if subject.only_reads:
        row.seen = await _seen(subject, empty), await _seen(subject, full)
        if row.seen[1].whole:
            row.verdict, row.reason = "NOT HELD", f"reads all of {', '.join(row.seen[1].whole)}"
            return row
        reason = because(row.size, *row.seen, more_ms=row.full_ms - row.empty_ms)
    if row.growth <= ALLOWED:
        row.verdict = "held"
        return row
    row.reason = reason or (await subject.dear(full) if subject.dear is not None else "")
    row.verdict = "explained" if row.reason else "NOT HELD"
    return row


def because(size: int, few: Seen, many: Seen, *, more_ms: float) -> str:
    """Say why a question takes longer though its work is its answer's; nothing if it is not.

    `size` is the length of the answer. A fraction of a millisecond without more work is the
    machine's, and where rows of a page lie further apart there is a block for each at most.
    """
    work = max(many.rows / max(few.rows, 1), many.blocks / max(few.blocks, 1))
    if work <= 1 + ALLOWED and more_ms <= SLACK_MS:
        return f"the same work: {many.rows} rows on {many.blocks} blocks, {few.blocks} among few"
    if many.rows <= PASSED_OVER * size and many.blocks <= few.blocks + size + DESCENT:
        return (
            f"{size} of {many.rows} rows on {many.blocks} blocks, "
            f"among few of {few.rows} on {few.blocks}"
        )
    return ""


async def _measured(subject: Subject, empty: Ground, full: Ground, repeats: int) -> Row:
    few: list[float] = []
    many: list[float] = []
    sizes: set[int] = set()
    gc.collect()
    for number in range(WARM + MOST * repeats):
        order = (empty, full) if number % 2 else (full, empty)
        found = {id(ground): await subject.run(ground) for ground in order}
        sizes.update(one.size for one in found.values())
        if number >= WARM:
            few.append(found[id(empty)].ms)
            many.append(found[id(full)].ms)
        if len(few) >= repeats and len(few) % repeats == 0 and _is_clear(_interval(few, many)):
            break
    assert len(sizes) == 1, f"{subject.name} found {sorted(sizes)}: not the same among many rows"
    return Row(
        subject.name,
        median(few),
        median(many),
        median(_growths(few, many)),
        _interval(few, many),
        len(few),
        sizes.pop(),
    )


def _growths(few: Sequence[float], many: Sequence[float]) -> list[float]:
    return sorted(after / before - 1 for before, after in zip(few, many, strict=True))


def _interval(few: Sequence[float], many: Sequence[float]) -> tuple[float, float]:
    """Return between which two of the growths their median lies, by their ranks alone."""
    growths = _growths(few, many)
    away = _SIGMAS * len(growths) ** 0.5 / 2
    low, high = int(len(growths) / 2 - away), int(len(growths) / 2 + away)
    return growths[max(0, low)], growths[min(len(growths) - 1, high)]


def _is_clear(between: tuple[float, float]) -> bool:
    return between[1] <= ALLOWED or between[0] > ALLOWED


async def _seen(subject: Subject, ground: Ground) -> Seen:
    with caught(Engine) as sent:
        await subject.run(ground)
    async with ground.databases[subject.service].write(SHOP) as session:
        plans = [
            await explain(session, [one], options="analyze, buffers, timing off, format json")
            for one in sent
        ]
        await session.rollback()
    nodes = [node for plan in plans for node in plan]
    filled = {mass.table for mass in MASSES}
    whole = [
        node["Relation Name"]
        for node in nodes
        if node["Node Type"] == "Seq Scan"
        and f"{subject.service}.{node['Relation Name']}" in filled
    ]
    # A node's blocks include those below it: the outermost has them all.
    blocks = sum(plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"] for plan in plans)
    rows = sum(
        round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in nodes
        if "Scan" in node["Node Type"] and "Plans" not in node
    )
    return Seen(", ".join(_ways(nodes)), blocks, rows, tuple(sorted(set(whole))))


def _ways(nodes: Iterable[Mapping[str, Any]]) -> list[str]:
    found = [
        str(node.get("Index Name") or node["Node Type"])
        for node in nodes
        if node["Node Type"] not in {"Limit", "Result", "Bitmap Heap Scan"}
    ]
    return list(dict.fromkeys(found))


_HEADINGS: Final = (
    "what", "empty ms", "full ms", "growth", "between", "blocks", "verdict", "reason",
)  # fmt: skip


def line(row: Row) -> str:
    """Return what came of one subject, for the screen as it goes."""
    because = f" ({row.reason})" if row.reason else ""
    return (
        f"{row.what}: {row.empty_ms:.2f} -> {row.full_ms:.2f} ms, {row.growth:+.0%}"
        f" ({_shown(row.between)}), {row.verdict}{because}"
    )


def _shown(between: tuple[float, float]) -> str:
    return f"{between[0]:+.0%} to {between[1]:+.0%}"


def report(rows: Sequence[Row], figures: Mapping[str, Any], *, say: Callable[[str], None]) -> None:
    """Print the table and store everything."""
    table = Table(title=f"{figures['conversations']:,} conversations against {figures['empty']:,}")
    for heading in _HEADINGS:
        left = heading in {"what", "verdict", "reason"}
        table.add_column(heading, justify="left" if left else "right", overflow="fold")
    for row in rows:
        blocks = "" if row.seen is None else " -> ".join(str(one.blocks) for one in row.seen)
        table.add_row(
            row.what, f"{row.empty_ms:.2f}", f"{row.full_ms:.2f}", f"{row.growth:+.0%}",
            _shown(row.between), blocks, row.verdict, row.reason,
        )  # fmt: skip
    Console(width=150).print(table)
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "volume.json"
    stored = {"rows": [asdict(row) for row in rows], **figures}
    path.write_text(json.dumps(stored, indent=1, ensure_ascii=False), encoding="utf-8")
    say(f"All figures: {path.relative_to(RESULTS.parents[1])}")
