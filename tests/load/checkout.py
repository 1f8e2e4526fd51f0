"""A checkout of PeakDesk, this one or another, started and asked by its own `./peakdesk` alone.

The other one's code is another release's: none of it is imported here, and what it answers is read
as docs/commands.md describes it. Must not know what is measured.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from tests.load.ground import INSTANCE

START_TIMEOUT_S: Final = 400
STOP_TIMEOUT_S: Final = 120
STATUS_TIMEOUT_S: Final = 60
BENCH_TIMEOUT_S: Final = 1_200
ADMINISTRATOR: Final = "platform admin"
"""How `up` calls the person whose login and password stand behind it."""


@dataclass(frozen=True, slots=True)
class Running:
    """A platform that runs: where it answers, who administers it, what runs and its start took."""

    url: str
    admin: tuple[str, str]
    by_name: Mapping[str, int]
    start_s: float

    def pids(self) -> Mapping[str, int]:
        """Return the pids that it began with: nobody starts again what dies there."""
        return self.by_name


@dataclass(frozen=True, slots=True)
class Checkout:
    """`base_port` moves its instance of the benches; without, it keeps its ports or finds some."""

    folder: Path
    base_port: int | None = None

    @property
    def complaint(self) -> str | None:
        """What is missing before it can be measured, in words."""
        if not (self.folder / "peakdesk").is_file():
            return f"{self.folder} is no checkout of PeakDesk"
        if not (self.folder / ".venv").is_dir():
            return f"{self.folder} has no environment yet: run `./peakdesk check` there first"
        return None

    @contextmanager
    def running(self) -> Iterator[Running]:
        """Run the whole platform on the instance of the benches, and stop it afterwards."""
        try:
            yield self.up()
        finally:
            self.down()

    def up(self) -> Running:
        """Start what does not run; return once everything is ready."""
        moved = [] if self.base_port is None else ["--base-port", str(self.base_port)]
        begun = time.monotonic()
        said = self._obeyed("up", "--test-data", "--no-keeper", *moved)
        took_s = time.monotonic() - begun
        processes = {one["name"]: one for one in self._status()}
        pids = {name: one["pid"] for name, one in processes.items() if one["pid"] is not None}
        return Running(processes["gateway"]["address"], administrator(said), pids, took_s)

    def down(self) -> None:
        """Stop everything; what does not obey is killed by its process id."""
        with suppress(subprocess.TimeoutExpired):
            if self._run("down", timeout_s=STOP_TIMEOUT_S, apart=True).returncode == 0:
                return
        for one in self._status():
            if one["pid"] is not None:
                with suppress(psutil.NoSuchProcess):
                    psutil.Process(one["pid"]).kill()

    def bench(self, name: str, *, only: str) -> Mapping[str, Any]:
        """Run a bench's tests whose names hold `only`; return the figures that it has stored."""
        file = f"tests/load/test_{name}.py"
        argv = ("test", file, "-m", "load", "-k", only, "-n", "0", "-s")
        done = self._call(*argv, timeout_s=BENCH_TIMEOUT_S)
        if done.returncode != 0:
            raise RuntimeError(f"{self.folder}: {file}: {done.stdout[-2_000:]}{done.stderr}")
        stored = self.folder / ".peakdesk" / "bench" / f"{name}.json"
        found: Mapping[str, Any] = json.loads(stored.read_text(encoding="utf-8"))
        return found

    def _status(self) -> Sequence[Mapping[str, Any]]:
        """Return every process; none where there is no instance yet."""
        said = self._run("status", "--json", timeout_s=STATUS_TIMEOUT_S).stdout
        found: Sequence[Mapping[str, Any]] = json.loads(said)["processes"] if said else ()
        return found

    def _obeyed(self, *words: str) -> str:
        done = self._run(*words, timeout_s=START_TIMEOUT_S)
        if done.returncode != 0:
            raise RuntimeError(f"{self.folder}: `{words[0]}`: {done.stdout}{done.stderr}")
        return done.stdout

    def _run(
        self, *words: str, timeout_s: float, apart: bool = False
    ) -> subprocess.CompletedProcess[str]:
        return self._call(*words, "--instance", INSTANCE, timeout_s=timeout_s, apart=apart)

    def _call(
        self, *words: str, timeout_s: float, apart: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run its `./peakdesk`; `apart` from this terminal, so that no second Ctrl-C ends it."""
        return subprocess.run(
            ["./peakdesk", *words],
            cwd=self.folder,
            env={name: word for name, word in os.environ.items() if "PEAKDESK" not in name},
            check=False,
            timeout=timeout_s,
            capture_output=True,
            text=True,
            start_new_session=apart,
        )


def administrator(said: str) -> tuple[str, str]:
    """Find the platform administrator's login and password in what `up` printed."""
    for line in said.splitlines():
        _, mark, behind = line.partition(ADMINISTRATOR)
        if mark:
            login, password = behind.split()
            return login, password
    raise RuntimeError(f"`up` named no {ADMINISTRATOR}: {said}")
