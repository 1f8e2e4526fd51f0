"""What the person at the terminal sees: a line per step with its time, bars for downloads."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn


class Screen:
    """Prints through one rich console; a pipe or a log file gets plain lines."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, name: str) -> Iterator["Step"]:
        """Print one line for the block: its name, what it found, and the seconds that it took."""
        step = Step()
        begun = time.monotonic()
        with self.console.status(f"{name} ..."):
            yield step
        took = time.monotonic() - begun
        self.console.print(f"  [green]✓[/] {name:<12} {step.outcome:<52} [dim]{took:5.1f} s[/]")

    @contextmanager
    def download(self, name: str, size: int) -> Iterator[Callable[[int], None]]:
        """Show a bar of `size` bytes; the block gets a function that advances it."""
        columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn())
        with Progress(
            *columns, TransferSpeedColumn(), console=self.console, transient=True
        ) as progress:
            bar = progress.add_task(name, total=size)
            yield lambda count: progress.advance(bar, count)

    def say(self, line: str) -> None:
        """Print a line."""
        self.console.print(line, highlight=False)


class Step:
    """What a step has to report; set `outcome` inside the block."""

    def __init__(self) -> None:
        self.outcome = ""
