"""Starts, finds and stops the processes of an instance; each is known by pid and start time.

Must not know what a process does. A process that is not in the instance's notes is never touched.
"""

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from launcher.errors import LaunchError
from launcher.instance import deaths, files, identity, logs, space
from launcher.instance.account import Account
from launcher.instance.deaths import Deaths
from launcher.instance.files import Damaged
from launcher.instance.instance import Instance
from launcher.instance.spawn import Program, ended, spawn

POLL_S: Final = 0.05
_NOTED: Final = frozenset({"pid", "signal", "timeout_s"})
KILL_TIMEOUT_S: Final = 10
"""A process that SIGKILL does not end by then hangs in the kernel: nothing more can be done."""
TAIL_LINES: Final = 5
LOG_BYTES: Final = 10 * 1024 * 1024
"""A log beyond this is set aside when its process is started anew."""


@dataclass(frozen=True)
class Command:
    """What to run: its name in the instance, argv, whole environment and how to end it."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    stop_signal: int
    stop_timeout_s: float
    account: Account | None = None
    niceness: int = 0
    """How far the process steps back when others want the CPU; 0 to 19, as in `nice`."""


class Processes:
    """The processes of one instance, remembered in its folder across runs of the launcher."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def find(self, name: str) -> psutil.Process | None:
        """Return the live process that was started under `name`, or None."""
        note = self._read(name)
        return None if note is None else identity.find(note)

    def pid(self, name: str) -> int | None:
        """Return the pid of the live process called `name`, or None."""
        process = self.find(name)
        return None if process is None else process.pid

    def names(self) -> list[str]:
        """Return the names of all processes that are noted, live or not."""
        return sorted(path.stem for path in self._instance.processes.glob("*.json"))

    def start(self, command: Command) -> None:
        """Start `command` in a session of its own, so that it outlives this terminal."""

        def note(pid: int) -> None:
            if command.niceness:
                own = os.getpriority(os.PRIO_PROCESS, 0)
                os.setpriority(os.PRIO_PROCESS, pid, own + command.niceness)
            document = {
                "pid": pid,
                "identity": identity.of(pid),
                "signal": command.stop_signal,
                "timeout_s": command.stop_timeout_s,
            }
            files.write_document(self._note(command.name), document)

        self._set_long_log_aside(command.name)
        log, ending = self.log(command.name), self._ending(command.name)
        spawn(
            Program(command.name, command.argv, command.environment, log, ending, command.account),
            note=note,
        )

    def wait_ready(
        self,
        name: str,
        ready: Callable[[], bool],
        *,
        timeout_s: float,
        every_s: float = POLL_S,
    ) -> None:
        """Return once `ready()`, asked every `every_s`.

        Raises LaunchError if the process dies or takes too long.
        """
        deadline = time.monotonic() + timeout_s
        while not ready():
            if self.find(name) is None:
                raise LaunchError(
                    f"{name} ended while it started ({self.how_it_ended(name)}). Its last words: "
                    f"{self.tail(name)} (all of them: {self.log(name)}).{self._full(name)}"
                )
            if time.monotonic() > deadline:
                raise LaunchError(
                    f"{name} was not ready after {timeout_s:.0f} s: see {self.log(name)}, "
                    f"then run the command again.{self._full(name)}"
                )
            time.sleep(every_s)

    def stop(self, *names: str) -> bool:
        """End the named processes together; kill what outlives its time. True if any was alive.

        Together, because the last of several brokers cannot leave a quorum that is gone.
        """
        alive = []
        for name in names:
            note = self._read(name)
            process = None if note is None else identity.find(note)
            if note is not None and process is not None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(note["signal"])
                alive.append((process, note["timeout_s"]))
        for process, timeout_s in alive:
            if not _ends(process, timeout_s):
                process.kill()
                _ends(process, KILL_TIMEOUT_S)
        for name in names:
            for path in (self._note(name), self._ending(name), self._deaths(name)):
                path.unlink(missing_ok=True)
        return bool(alive)

    def last_death(self, name: str) -> Deaths:
        """Return the death of a process that is noted and does not live."""
        # Until somebody tells the end, the file is as old as the start.
        at = self._ending(name).stat().st_mtime if self.has_told(name) else time.time()
        return Deaths(1, deaths.moment(at), self.how_it_ended(name), self.tail(name))

    def has_told(self, name: str) -> bool:
        """Return whether it is known how the process ended: who waits for it tells a bit later."""
        return ended(self._ending(name)) is not None

    def deaths(self, name: str) -> Deaths | None:
        """Return the deaths that a keeper has seen, None if there was none."""
        return deaths.read(self._deaths(name))

    def keep_deaths(self, name: str, found: Deaths) -> None:
        """Keep them until the process is stopped on purpose. Raises OSError on a full disk."""
        deaths.write(self._deaths(name), found)

    def is_noted(self, name: str) -> bool:
        """Return whether the process was started and nobody stopped it on purpose."""
        return self._note(name).exists()

    def how_it_ended(self, name: str) -> str:
        """Return the exit code or the signal of the process that ran last, in words."""
        return ended(self._ending(name)) or "nobody saw how"

    def _full(self, name: str) -> str:
        said = space.complaint(self._instance.folder, self.tail(name))
        return f" {said}" if said else ""

    def log(self, name: str) -> Path:
        """Return the file that receives what the process prints."""
        return self._instance.logs / f"{name}.log"

    def _set_long_log_aside(self, name: str) -> None:
        """Keep one older log; what a single run prints has no other limit."""
        log = self.log(name)
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))

    def tail(self, name: str) -> str:
        """Return the last lines that the process printed, as one line."""
        path = self.log(name)
        if not path.exists():
            return "none"
        lines = logs.last_lines(path, TAIL_LINES)
        return " | ".join(line.strip() for line in lines) or "none"

    def _read(self, name: str) -> dict[str, Any] | None:
        """Return the note of a process; a damaged one, of a disk that was full, is as good as none.

        What it was about may run on: then its port is taken, and the next start says so.
        """
        try:
            note = files.read_document(self._note(name))
        except Damaged:
            return None
        return note if note is not None and note.keys() >= _NOTED else None

    def _note(self, name: str) -> Path:
        return self._instance.processes / f"{name}.json"

    def _deaths(self, name: str) -> Path:
        return self._instance.processes / f"{name}.deaths"

    def _ending(self, name: str) -> Path:
        return self._instance.processes / f"{name}.ending"


def _ends(process: psutil.Process, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while identity.lives(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
