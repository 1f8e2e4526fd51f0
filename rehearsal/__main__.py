"""The command `python -m rehearsal`: reads the options, plays, shows, writes the reports.

Exit code 0 only if the run is valid and every promise held; 1 if not; 2 for unusable options.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import httpx2
import stamina.instrumentation
import typer
from rich.console import Console
from rich.live import Live

from rehearsal import dialogues, page, terminal
from rehearsal.api import Api, ApiRefused
from rehearsal.cast import Sabotage
from rehearsal.endings import Broken, ForGood, StreamRefused
from rehearsal.report import Report
from rehearsal.run import MESSAGES_LIMIT, Plan, Progress, Rehearsal
from rehearsal.schedule import Curve

FRAMES_PER_S: Final = 4
"""Redraws of the live view a second; on a pipe one plain line every five seconds instead."""

PLAIN_LINE_EVERY_S: Final = 5.0

Running = asyncio.Future[Report]


def rehearse(  # noqa: PLR0913 - the options of a command are its parameters
    *,
    url: Annotated[str, typer.Option(help="The gateway: http://host:port.")],
    password: Annotated[
        str, typer.Option(envvar="PEAKDESK_PASSWORD", help="Password of the login.")
    ],
    login: Annotated[str, typer.Option(help="A platform administrator.")] = "admin",
    dialogues_file: Annotated[
        Path | None, typer.Option("--dialogues", help="TSV: session, role, text; default: ours.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=50_000, help="Messages a second.")] = 20.0,
    seconds: Annotated[float, typer.Option(min=1, max=86_400, help="Length of play.")] = 40.0,
    curve: Annotated[Curve, typer.Option(help="Shape of the load.")] = Curve.FLAT,
    chaos: Annotated[bool, typer.Option("--chaos", help="Cut connections all the time.")] = False,
    sabotage: Annotated[
        Sabotage | None, typer.Option(help="Let screens lie, to see the checks fail.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same timetable.")] = 11,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here.")
    ] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write the page here.")] = None,
    only_check: Annotated[
        bool, typer.Option("--check", help="Look at options and dialogues, and play nothing.")
    ] = False,
) -> None:
    """Play a Singles' Day against a running PeakDesk and check what it promised."""
    console = _console()
    if rate * seconds > MESSAGES_LIMIT:
        raise typer.BadParameter(f"more than {MESSAGES_LIMIT} messages: lower --rate or --seconds")
    try:
        plan = Plan(dialogues.load(dialogues_file), rate, seconds, curve, chaos, sabotage, seed)
        if only_check:
            return
        report = asyncio.run(_play(url, (login, password), plan, console=console))
    except dialogues.BadDialogues as error:
        raise typer.BadParameter(str(error)) from None
    except (ApiRefused, ForGood, StreamRefused) as error:
        console.print(f"The platform refused: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    except Broken as error:
        _say_broken(error, console, json_file)
        raise typer.Exit(1) from None
    except (httpx2.TransportError, OSError) as error:
        name = type(error).__name__
        console.print(f"Nobody answers at {url} ({name}): is the platform up?", style="red")
        raise typer.Exit(1) from None
    terminal.verdict(report, console)
    _write(report, json_file, html_file, console=console)
    sys.exit(0 if report.passed else 1)


def _console() -> Console:
    # Otherwise each retry is logged, into the middle of the live view.
    stamina.instrumentation.set_on_retry_hooks(())
    return Console()


def _write(
    report: Report, json_file: Path | None, html_file: Path | None, *, console: Console
) -> None:
    if json_file is not None:
        _write_json(json_file, report.as_json())
    if html_file is not None:
        html_file.write_text(page.render(report), encoding="utf-8")
        console.print(f"The report with its charts: {html_file}")


def _say_broken(error: Broken, console: Console, json_file: Path | None) -> None:
    """Say why there is no report; programs find the reason where an invalid run has its own."""
    sentence = f"the rehearsal could not go on, {error}"
    console.print(f"INVALID: {sentence}", style="bold yellow", markup=False)
    if json_file is not None:
        _write_json(json_file, {"passed": False, "invalid": [sentence]})


def _write_json(file: Path, figures: Mapping[str, Any]) -> None:
    text = json.dumps(figures, ensure_ascii=False, indent=2)
    file.write_text(text + "\n", encoding="utf-8")


async def _play(url: str, account: tuple[str, str], plan: Plan, *, console: Console) -> Report:
    progress = Progress()
    async with Api(url) as api:
        admin = await api.sign_in(*account)
        running = asyncio.ensure_future(Rehearsal(api, admin, plan, progress=progress).run())
        if console.is_terminal:
            await _show_live(running, progress, console)
        else:
            await _show_lines(running, progress, console)
        return await running


async def _show_live(running: Running, progress: Progress, console: Console) -> None:
    with Live(terminal.live(progress), console=console, auto_refresh=False) as screen:
        async for _ in _ticks(running, 1 / FRAMES_PER_S):
            screen.update(terminal.live(progress), refresh=True)


async def _show_lines(
    running: asyncio.Future[Report], progress: Progress, console: Console
) -> None:
    async for _ in _ticks(running, PLAIN_LINE_EVERY_S):
        console.print(f"{progress.phase}: {progress.done} of {progress.total} messages answered")


async def _ticks(running: Running, every: float) -> AsyncIterator[None]:
    while not running.done():
        await asyncio.wait({running}, timeout=every)
        yield


app = typer.Typer(add_completion=False)
app.command()(rehearse)


if __name__ == "__main__":
    app(prog_name=os.environ.get("PEAKDESK_COMMAND", "python -m rehearsal"))
