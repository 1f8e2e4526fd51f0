"""Shows what processes printed: the last lines, or on and on. Knows files only."""

import contextlib
import os
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Final

from launcher.errors import LaunchError
from launcher.instance.instance import Instance

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
) -> Generator[tuple[str, str]]:
    """Yield (process, line) as lines are written, for ever: until the terminal interrupts it.

    A log that is set aside while its process is started anew is read to its end, then the new one.
    """
    with contextlib.ExitStack() as files:
        followed = [files.enter_context(contextlib.closing(_Followed(path))) for path in paths]
        while True:
            for one in followed:
                for line in one.fresh():
                    yield one.path.stem, line
            pause(POLL_S)


class _Followed:
    """One log and how far it was read; begins at its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb")
        self._file.seek(0, os.SEEK_END)
        self._begun = b""

    def close(self) -> None:
        self._file.close()

    def fresh(self) -> Iterator[str]:
        """Yield the whole lines that were written since the last call."""
        yield from self._read()
        if self._was_replaced():
            yield from self._read()  # what came between reading and replacing
            self._file.close()
            self._file, self._begun = self.path.open("rb"), b""
            yield from self._read()

    def _read(self) -> Iterator[str]:
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)  # somebody emptied it
        whole, newline, rest = (self._begun + self._file.read()).rpartition(b"\n")
        self._begun = rest
        yield from (whole + newline).decode("utf-8", errors="replace").splitlines()

    def _was_replaced(self) -> bool:
        try:
            now = self.path.stat()
        except FileNotFoundError:  # set aside, and the new one is not there yet
            return False
        return not os.path.samestat(now, os.fstat(self._file.fileno()))
