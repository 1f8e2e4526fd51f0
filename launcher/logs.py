"""Shows what processes printed: the last lines, or on and on. Knows files only."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from launcher.errors import LaunchError
from launcher.instance import Instance

POLL_S: Final = 0.2
TAIL_BYTES: Final = 256 * 1024
"""What is read from the end of a file at most to find its last lines."""


def files(known: Instance, name: str | None) -> list[Path]:
    """Return the log file of one process, or all of them. Raises LaunchError for a wrong name."""
    found = sorted(known.logs.glob("*.log"))
    if name is None:
        return found
    chosen = [path for path in found if path.stem == name]
    if not chosen:
        names = ", ".join(path.stem for path in found) or "none yet"
        raise LaunchError(f"There is no log called {name}. There are: {names}.")
    return chosen


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last `count` lines of a log."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES))
        text = file.read().decode("utf-8", errors="replace")
    return text.splitlines()[-count:] if count else []


def follow(
    paths: list[Path], *, pause: Callable[[float], None] = time.sleep
) -> Iterator[tuple[str, str]]:
    """Yield (process, line) as lines are written, for ever: until the terminal interrupts it."""
    read = {path: path.stat().st_size for path in paths}
    while True:
        for path in paths:
            with path.open("rb") as file:
                file.seek(read[path])
                whole, newline, _ = file.read().rpartition(b"\n")
            read[path] += len(whole) + len(newline)
            for line in whole.decode("utf-8", errors="replace").splitlines():
                yield path.stem, line
        pause(POLL_S)
