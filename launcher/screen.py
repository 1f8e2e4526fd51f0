"""What the person at the terminal sees: a line per step with its time, bars for downloads."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table


class Step:
    """What a step has to report; set `outcome`, and `failed` if it did, inside the block.

    `took_s` is to be set by one that ran beside others: the block lasts as long as the slowest.
    """

    def __init__(self) -> None:
        self.outcome = ""
        self.failed = False
        self.took_s: float | None = None


class Screen:
    """Prints through one rich console; a pipe or a log file gets plain lines."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Print one line for the block: its name, what it found, and the seconds that it took."""
        step = Step()
        begun = time.monotonic()
        with self.console.status(f"{name} ..."):
            yield step
        took = time.monotonic() - begun if step.took_s is None else step.took_s
        mark = "[red]✗[/]" if step.failed else "[green]✓[/]"
        line = f"  {mark} {name:<13} {step.outcome:<52} [dim]{took:5.1f} s[/]"
        self.console.print(line, highlight=False, soft_wrap=True)

    @contextmanager
    def download(self, name: str, size: int) -> Iterator[Callable[[int], None]]:
        """Show a bar of `size` bytes; the block gets a function that advances it."""
        columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn())
        with Progress(
            *columns, TransferSpeedColumn(), console=self.console, transient=True
        ) as progress:
            bar = progress.add_task(name, total=size)
            yield lambda count: progress.advance(bar, count)

    def say(self, line: str, *, plain: bool = False) -> None:
        """Print a line; `plain` text is another program's and holds no markup of ours."""
        self.console.print(line, highlight=False, markup=not plain, soft_wrap=True)

    def table(self, columns: list[str], rows: list[list[str]]) -> None:
        """Print rows under headings; into a pipe or a file each as one line, with nothing cut."""
        if not self.console.is_terminal:
            self._plain_table([columns, *rows])
            return
        table = Table(box=None, header_style="bold", pad_edge=False)
        for number, column in enumerate(columns):
            table.add_column(column, no_wrap=number == 0, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def _plain_table(self, rows: list[list[str]]) -> None:
        widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = [
                word + " " * (width - cell_len(word))
                for word, width in zip(row, widths, strict=True)
            ]
            self.say("  ".join(cells).rstrip(), plain=True)
