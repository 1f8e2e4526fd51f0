"""One small process per instance that starts again what died; `up` leaves it, `down` ends it first.

A process is kept while its note is there: whoever stops one on purpose removes the note. What only
stands still (SIGSTOP) has not died. It must not know what a process does.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from launcher import revival
from launcher.errors import LaunchError
from launcher.instance import deaths, instance, space
from launcher.instance.deaths import Deaths
from launcher.instance.instance import Instance
from launcher.instance.processes import Command, Processes
from launcher.interpreter import run_module
from launcher.kafka import java

NAME: Final = "keeper"
POLL_S: Final = 1.0
"""A look at eight processes costs 1 ms of CPU (measured), so the keeper 0.1 % of a core."""
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
"""A process that dies again and again is tried for ever, once a minute: its trouble may pass."""
STOP_TIMEOUT_S: Final = 5.0
_FOR_JAVA: Final = ("PATH", "JAVA_HOME", java.OPTIONS)
"""Java is looked for, and told its options, anew whenever a broker is started."""
STEADY_S: Final = 120.0
"""What lived that long after a start is well again: its next death is followed by a short pause."""
TOLD_WITHIN_S: Final = 5.0
"""Wait for the word how a process ended, which comes a moment behind the end itself: on a machine
with 30 processes per core a second behind. Then nobody saw it, and its death is noted as that."""


@dataclass
class Watched:
    """What the keeper remembers of one process; moments are monotonic, for clocks are set."""

    pause_s: float = FIRST_PAUSE_S
    alive_since: float | None = None
    due: float | None = None
    """When it is started again; None while it lives."""
    missed_since: float | None = None
    """When it was found dead and nobody had told yet how it ended; None while it lives."""


@dataclass
class Keeper:
    """Looks at the noted processes of one instance, again and again."""

    folder: Path
    start: Callable[[Instance, str], None]
    """Starts the process of that name; raises LaunchError or OSError."""
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    watched: dict[str, Watched] = field(default_factory=dict)

    def look(self) -> bool:
        """Look once; return False when the instance is gone and with it the keeper's work."""
        known = instance.load(self.folder)
        if known is None:
            return False
        processes = Processes(known)
        for name in processes.names():
            if name != NAME:
                self._look_at(known, processes, name)
        return True

    def _look_at(self, known: Instance, processes: Processes, name: str) -> None:
        now = self.clock()
        one = self.watched.setdefault(name, Watched())
        if processes.find(name) is not None:
            self._note_alive(one, now)
        elif one.due is None:
            if one.missed_since is None:
                one.missed_since = now
            if processes.has_told(name) or now - one.missed_since >= TOLD_WITHIN_S:
                self._note_death(processes, name, one)
        elif now >= one.due:
            self._try(known, processes, name, one=one)

    def _note_alive(self, one: Watched, now: float) -> None:
        one.due = one.missed_since = None
        if one.alive_since is None:
            one.alive_since = now
        elif now - one.alive_since > STEADY_S:
            one.pause_s = FIRST_PAUSE_S

    def _note_death(self, processes: Processes, name: str, one: Watched) -> None:
        one.due = self.clock() + one.pause_s
        one.alive_since = one.missed_since = None
        last = processes.last_death(name)
        self.say(f"{name} died: {last.why}; next try in {one.pause_s:.0f} s")
        known = processes.deaths(name)
        many = last if known is None else known.once_more(last)
        self._keep(processes, name, replace(many, next_try_at=_in(one.pause_s)))
        one.pause_s = min(2 * one.pause_s, LONGEST_PAUSE_S)

    def _try(self, known: Instance, processes: Processes, name: str, *, one: Watched) -> None:
        """Start it, unless somebody else is at work in the instance: then at a later look."""
        trouble = ""
        try:
            with instance.locked(self.folder, timeout_s=0):
                if name not in processes.names() or processes.find(name) is not None:
                    return
                try:
                    self.start(known, name)
                except (LaunchError, OSError, subprocess.SubprocessError) as error:
                    trouble = space.in_words(error, self.folder)
        except instance.Busy:
            return
        found = processes.deaths(name) or processes.last_death(name)
        if trouble:
            one.due = self.clock() + one.pause_s
            self.say(f"{name} could not be started: {trouble}; next try in {one.pause_s:.0f} s")
            found = replace(found, trouble=trouble, next_try_at=_in(one.pause_s))
            one.pause_s = min(2 * one.pause_s, LONGEST_PAUSE_S)
        else:
            one.due = None
            self.say(f"{name} was started again")
            found = replace(found, trouble="", next_try_at=None)
        self._keep(processes, name, found)

    def _keep(self, processes: Processes, name: str, found: Deaths) -> None:
        """Keep what `status` shows; on a full disk only the keeper's own memory has it."""
        try:
            processes.keep_deaths(name, found)
        except OSError as error:
            self.say(f"{name}: {space.in_words(error, self.folder)}")


def command(known: Instance) -> Command:
    """Return how an instance's keeper is run."""
    told = {name: os.environ[name] for name in _FOR_JAVA if name in os.environ}
    return Command(
        name=NAME,
        argv=run_module("launcher.keeper", str(known.folder)),
        environment={"LANG": "C.UTF-8", **told},
        stop_signal=signal.SIGTERM,
        stop_timeout_s=STOP_TIMEOUT_S,
    )


def main() -> None:
    """Keep the instance in the folder of the command line until SIGTERM, or until it is gone."""
    folder = Path(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with (folder / "processes" / "keeper.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("another keeper is at work")
        keep(Keeper(folder, revival.start, _say), pause=time.sleep)


def keep(keeper: Keeper, *, pause: Callable[[float], None]) -> None:
    """Look until the instance is gone; what goes wrong is said once, and tried again for ever."""
    said = ""
    going = True
    while going:
        wrong = ""
        try:
            going = keeper.look()
        except Exception as error:  # noqa: BLE001 - nobody else would start again what dies tonight
            wrong = f"{type(error).__name__}: {error}"
        if wrong not in ("", said):
            keeper.say(wrong)
        said = wrong
        pause(POLL_S)


def _say(line: str) -> None:
    """Write to the keeper's log; a full disk does not end it."""
    try:
        sys.stdout.write(f"{deaths.moment(time.time())} {line}\n")
        sys.stdout.flush()
    except OSError:
        return


def _in(seconds: float) -> str:
    return deaths.moment(time.time() + seconds)


if __name__ == "__main__":
    main()
