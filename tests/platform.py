"""The whole platform for journeys and faults: an instance of its own, started by the launcher.

It is shared by the session's tests; each test is alone in a shop of its own. Services that are
older than the code are started anew, so that a developer never tests yesterday's platform.
"""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from launcher import infrastructure, instance, platform, seed, services
from launcher.infrastructure import Wanted
from launcher.instance import Instance
from launcher.processes import Processes

CHECKOUT: Final = Path(__file__).resolve().parent.parent
NAME: Final = "platform"
START_TIMEOUT_S: Final = 400
SOURCES: Final = ("contracts", "kit", "wording", "services")


@dataclass(frozen=True)
class Platform:
    """A running PeakDesk and what a test may do to it."""

    known: Instance

    @property
    def url(self) -> str:
        """The gateway's address."""
        return services.public_url(self.known)

    @property
    def admin(self) -> tuple[str, str]:
        """Login and password of the platform's administrator."""
        administrator = seed.logins(self.known)[0]
        return administrator.login, administrator.password

    def admin_url(self, service: str) -> str:
        """Where a service answers health and metrics."""
        return services.admin_url(self.known, service)

    def pid(self, name: str) -> int:
        """Return the pid of a service, of `kafka-0` or of `postgres`."""
        found = Processes(self.known).pid(name)
        if found is None:
            raise RuntimeError(f"{name} does not run")
        return found

    def pids(self) -> Mapping[str, int]:
        """Return the pid of every process that runs, by name."""
        lines = platform.status(self.known)
        return {line.name: line.pid for line in lines if line.pid is not None}

    def is_ready(self, service: str) -> bool:
        """Whether a service says so itself."""
        return platform.is_ready(self.known, service)

    def up(self) -> None:
        """Start what does not run; returns when everything is ready."""
        _launch("up", "--test-data")

    def log(self, name: str) -> str:
        """Return everything a process has printed."""
        return Processes(self.known).log(name).read_text(encoding="utf-8", errors="replace")


def running() -> Platform:
    """Return the platform instance, up and made of the code as it stands."""
    wanted = Wanted(NAME, durable=False)
    folder = infrastructure.folder_of(wanted)
    with instance.locked(folder):
        known = infrastructure.open_instance(wanted, folder)
        stale = _older_than_the_code(known)
        for name in stale:
            Processes(known).stop(name)
    found = Platform(known)
    found.up()
    return found


def stop() -> None:
    """Stop the platform's processes; the data stays."""
    _launch("down")


def _launch(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "launcher.cli", arguments[0], "--instance", NAME, *arguments[1:]],
        cwd=CHECKOUT,
        check=False,
        timeout=START_TIMEOUT_S,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"the platform did not obey `{arguments[0]}`: {done.stdout}{done.stderr}"
        )


def _older_than_the_code(known: Instance) -> list[str]:
    newest = max(
        file.stat().st_mtime for part in SOURCES for file in (CHECKOUT / part).rglob("*.py")
    )
    found = {service.name: Processes(known).find(service.name) for service in services.SERVICES}
    return [name for name, process in found.items() if _started(process) < newest]


def _started(process: psutil.Process | None) -> float:
    return float("inf") if process is None else float(process.create_time())
