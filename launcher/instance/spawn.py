"""Starts a program that outlives us, and sees to it that somebody learns how it ended.

Between init and the program stands a shell that waits for it: of a process that is not one's child
no system says the exit code. Knows files and pids; must not know instances.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from launcher.errors import LaunchError
from launcher.instance import files, space
from launcher.instance.account import Account

BORN_TIMEOUT_S: Final = 30
POLL_S: Final = 0.005

# It tells the pid, lets the program begin once it is told to, and tells the exit code; the
# program never begins if whoever should have noted its pid died before.
_SHELL: Final = """
exec 3<&0 </dev/null
{ read -r go <&3 || exit 0; exec 3<&-; exec "$@"; } >&2 &
echo "$!" || exit 1
exec 3<&-
wait "$!"
echo "$?"
"""
_SIGNALLED: Final = 128
"""A shell tells death by signal n as 128 + n."""


@dataclass(frozen=True)
class Program:
    """What to run, as whom, and where its words and its end are kept."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    ending: Path
    account: Account | None = None


def spawn(program: Program, *, note: Callable[[int], None]) -> None:
    """Start a program in a session of its own; it begins only after `note(pid)` returned.

    Raises LaunchError if it could not be made, OSError if the disk is full.
    """
    account = program.account
    # The shell before may still be about to tell how its program ended: into a file of its own.
    program.ending.unlink(missing_ok=True)
    with _opened(program.ending, "wb") as ending, _opened(program.log, "ab") as log:
        shell = subprocess.Popen(
            ["/bin/sh", "-c", _SHELL, program.name, *program.argv],
            env=dict(program.environment),
            stdin=subprocess.PIPE,
            stdout=ending,
            stderr=log,
            start_new_session=True,
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            umask=files.UMASK,
        )
    assert shell.stdin is not None
    with contextlib.suppress(BrokenPipeError), shell.stdin:
        note(_born(program, shell))
        shell.stdin.write(b"go\n")
    # Popen reports a child that outlives it as a leak; outliving us is what this one is for.
    shell.returncode = 0


def ended(path: Path) -> str | None:
    """Return in words how the program of that `ending` ended, None if nobody saw it end."""
    try:
        lines = path.read_text(encoding="ascii").split()
    except (FileNotFoundError, ValueError):
        return None
    if len(lines) != len(("pid", "code")):
        return None
    return _in_words(int(lines[1]))


def _in_words(code: int) -> str:
    if code <= _SIGNALLED:
        return f"exit code {code}"
    number = code - _SIGNALLED
    named = {one.value: one.name for one in signal.Signals}
    return f"killed by {named.get(number, f'signal {number}')}"


def _born(program: Program, shell: "subprocess.Popen[bytes]") -> int:
    deadline = time.monotonic() + BORN_TIMEOUT_S
    while shell.poll() is None and time.monotonic() < deadline:
        told = program.ending.read_text(encoding="ascii")
        if told.endswith("\n"):
            return int(told.split()[0])
        time.sleep(POLL_S)
    cause = space.complaint(program.ending.parent) or f"See {program.log}."
    raise LaunchError(f"{program.name} could not be started. {cause}")


@contextlib.contextmanager
def _opened(path: Path, mode: str) -> Iterator[IO[bytes]]:
    """Open a file that is its owner's alone from its first moment."""
    with open(path, mode, opener=lambda name, flags: os.open(name, flags, files.FILE)) as file:
        yield file
