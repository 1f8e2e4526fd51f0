"""The rehearsal in a terminal: the live board while it plays, the verdict when it is over.

Turns progress and report into text; must not change either.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rehearsal.ledger import Outcome, Sent
from rehearsal.report import Percentiles, Report
from rehearsal.run import Progress

AGENTS_SHOWN: Final = 8
"""Agents on the live board, those with the longest wait first."""

RECENT_S: Final = 5.0
"""The live percentiles cover the messages due in the last so many seconds."""

_PROFILE_SHOWN: Final = "qiyu"
"""The live board shows the profile that counts at every hour, so that a night run shows figures."""


def live(progress: Progress) -> RenderableType:
    """Draw one frame of the running rehearsal."""
    parts: list[RenderableType] = [_headline(progress)]
    if progress.board is not None:
        parts += [_board(progress.board), _agents(progress.board)]
    return Panel(Group(*parts), title="PeakDesk rehearsal", border_style="cyan")


def _headline(progress: Progress) -> RenderableType:
    bar = ProgressBar(total=max(1, progress.total), completed=progress.done, width=40)
    counts = Text(f"{progress.done} of {progress.total} messages answered")
    if progress.drops:
        counts.append(f", {progress.drops} connections cut", style="yellow")
    grid = Table.grid(padding=(0, 2))
    grid.add_row(Text(progress.phase, style="bold"), bar, counts)
    recent = _recent(progress)
    if recent:
        ack = Percentiles.of((m.answered - m.due) * 1_000 for m in recent if m.answered)
        screen = Percentiles.of((m.shown - m.due) * 1_000 for m in recent if m.shown)
        grid.add_row(
            Text(f"last {RECENT_S:g} s"),
            Text(f"send to ack p50 {_ms(ack.p50)}, p99 {_ms(ack.p99)}"),
            Text(f"send to screen p50 {_ms(screen.p50)}, p99 {_ms(screen.p99)}"),
        )
    return grid


def _recent(progress: Progress) -> list[Sent]:
    since = time.monotonic() - RECENT_S
    recent: list[Sent] = []
    for message in reversed(progress.ledger.sent.values()):
        if message.due < since:
            break
        if message.outcome is Outcome.OK:
            recent.append(message)
    return recent


def _board(board: dict[str, Any]) -> RenderableType:
    """The shop's line of the supervisor board, as the platform pushed it."""
    figures = _figures(board["figures"])
    cells = (
        ("messages", str(board["messages"])),
        ("open chats", str(board["open_conversations"])),
        ("waiting", str(board["waiting"])),
        ("longest wait", _seconds(board["longest_wait_ms"])),
        ("first response", _mean(figures, "first_response_ms", "first_responses")),
        ("average response", _mean(figures, "round_ms", "rounds")),
        ("held by the gate", str(board["held"])),
        ("flags agent/buyer", f"{board['flags_agent']}/{board['flags_buyer']}"),
    )
    table = Table(expand=True, title="Supervisor board (pushed)", title_style="bold")
    for name, _ in cells:
        table.add_column(name, justify="right")
    table.add_row(*(value for _, value in cells))
    return table


def _agents(board: dict[str, Any]) -> RenderableType:
    table = Table(expand=True)
    for name in ("agent", "state", "open", "longest wait", "first response", "average response"):
        table.add_column(name, justify="left" if name in {"agent", "state"} else "right")
    tiles = sorted(board["agents"], key=lambda tile: -tile["longest_wait_ms"])
    for tile in tiles[:AGENTS_SHOWN]:
        figures = _figures(tile["figures"])
        table.add_row(
            tile["name"],
            tile["state"],
            str(tile["open_conversations"]),
            _seconds(tile["longest_wait_ms"]),
            _mean(figures, "first_response_ms", "first_responses"),
            _mean(figures, "round_ms", "rounds"),
        )
    return table


def verdict(report: Report, console: Console) -> None:
    """Print the finished report."""
    table = Table(title=f"Rehearsal: {report.title}", title_style="bold", show_header=False)
    table.add_column(style="dim")
    table.add_column()
    for name, value in rows(report):
        table.add_row(name, value)
    console.print(table)
    for line in report.findings.examples:
        console.print(f"  {line}", style="red", markup=False)
    for found in report.monitor.differences[:5]:
        who = found.who or "the shop"
        console.print(
            f"  {found.profile}, {who}: {found.figure} is {found.monitor} at the monitor"
            f" and {found.rehearsal} here",
            style="red",
        )
    if report.invalid:
        console.print(f"INVALID: {'; '.join(report.invalid)}", style="bold yellow")
    if report.broken:
        console.print(f"FAILED: {', '.join(report.broken)}", style="bold red")
    if report.passed:
        console.print(
            "PASSED: 0 lost, 0 doubled, 0 out of order, 0 different, 0 missed", style="bold green"
        )


def rows(report: Report) -> Sequence[tuple[str, str]]:
    """Return the report as names and values, for the terminal and the page alike."""
    found = report.findings
    return (
        ("people", f"{report.conversations} buyers, {report.agents} agents"),
        ("offered / achieved", f"{report.offered_per_s} / {report.achieved_per_s} messages/s"),
        ("sent / acknowledged / held", f"{report.sent} / {report.acknowledged} / {report.held}"),
        ("lost, doubled, out of order", f"{found.lost}, {found.doubled}, {found.out_of_order}"),
        ("repeated frames dropped", str(found.repeat_frames)),
        ("send to ack p50 / p99 / p99.9", _line(report.send_to_ack_ms)),
        ("send to screen p50 / p99 / p99.9", _line(report.send_to_screen_ms)),
        ("archived", f"{report.archived}, after {_line(report.archive_lag_ms)}"),
        (
            "monitor's figures against ours",
            f"{report.monitor.compared} compared, {len(report.monitor.differences)} different",
        ),
        ("rude turns caught", f"{report.flags.raised} of {report.flags.expected}"),
        ("flags on other turns", f"{report.flags.wrong} false, {report.flags.unplanted} unplanted"),
    )


def _figures(profiles: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return next((row for row in profiles if row["profile"] == _PROFILE_SHOWN), {})


def _mean(figures: dict[str, Any], total: str, count: str) -> str:
    if not figures.get(count):
        return "-"
    return _seconds(figures[total] / figures[count])


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1_000:.1f} s"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"


def _line(values: Percentiles) -> str:
    return " / ".join(_ms(value) for value in (values.p50, values.p99, values.p999))
