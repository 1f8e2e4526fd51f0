"""Starts, finds and stops the processes of an instance; each is known by pid and start time.

Must not know what a process does. A process that is not in the instance's notes is never touched.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from launcher.account import Account
from launcher.errors import LaunchError
from launcher.instance import Instance

SAME_START_S: Final = 2.0
"""Start times of one process read minutes apart differ by a clock tick and by clock corrections;
no system hands out the same pid again within two seconds."""
POLL_S: Final = 0.05
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
        note = self._note(name)
        if not note.exists():
            return None
        document = json.loads(note.read_text(encoding="utf-8"))
        try:
            process = psutil.Process(document["pid"])
            same = abs(process.create_time() - document["started"]) < SAME_START_S
        except psutil.NoSuchProcess:
            return None
        return process if same and _lives(process) else None

    def pid(self, name: str) -> int | None:
        """Return the pid of the live process called `name`, or None."""
        process = self.find(name)
        return None if process is None else process.pid

    def names(self) -> list[str]:
        """Return the names of all processes that are noted, live or not."""
        return sorted(path.stem for path in self._instance.processes.glob("*.json"))

    def start(self, command: Command) -> None:
        """Start `command` in a session of its own, so that it outlives this terminal."""
        account = command.account
        self._set_long_log_aside(command.name)
        with self.log(command.name).open("ab") as log:
            child = subprocess.Popen(
                command.argv,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        # Popen reports a child that outlives it as a leak; outliving us is what this one is for.
        child.returncode = 0
        if command.niceness:
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, child.pid, own + command.niceness)
        started = psutil.Process(child.pid).create_time()
        note = {
            "pid": child.pid,
            "started": started,
            "signal": command.stop_signal,
            "timeout_s": command.stop_timeout_s,
        }
        self._note(command.name).write_text(json.dumps(note), encoding="utf-8")

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
                    f"{name} ended while it started. Its last words: {self.tail(name)} "
                    f"(all of them: {self.log(name)})."
                )
            if time.monotonic() > deadline:
                raise LaunchError(
                    f"{name} was not ready after {timeout_s:.0f} s: see {self.log(name)}, "
                    "then run the command again."
                )
            time.sleep(every_s)

    def stop(self, *names: str) -> bool:
        """End the named processes together; kill what outlives its time. True if any was alive.

        Together, because the last of several brokers cannot leave a quorum that is gone.
        """
        alive = []
        for name in names:
            process = self.find(name)
            if process is not None:
                note = json.loads(self._note(name).read_text(encoding="utf-8"))
                os.kill(process.pid, note["signal"])
                alive.append((process, note["timeout_s"]))
        for process, timeout_s in alive:
            if not _ends(process, timeout_s):
                process.kill()
                _ends(process, KILL_TIMEOUT_S)
        for name in names:
            self._note(name).unlink(missing_ok=True)
        return bool(alive)

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
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return " | ".join(line.strip() for line in lines[-TAIL_LINES:]) or "none"

    def _note(self, name: str) -> Path:
        return self._instance.processes / f"{name}.json"


def _lives(process: psutil.Process) -> bool:
    """Return whether it still runs: one that ended may wait long for its parent to notice."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _ends(process: psutil.Process, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while _lives(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
