"""The whole platform for journeys and faults: an instance of its own, started by the launcher.

It is shared by the session's tests; each test is alone in a shop of its own. Services that are
older than the code are started anew, so that a developer never tests yesterday's platform. Where
parts are killed, the test is the supervisor that starts them again.
"""

import io
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import httpx2
import psutil
from rich.console import Console

from launcher import infrastructure, keeper, platform, seed, services
from launcher.infrastructure import Wanted
from launcher.instance import instance
from launcher.instance.instance import Instance
from launcher.instance.processes import Command, Processes
from launcher.screen import Screen
from tests.web import NO_TLS

CHECKOUT: Final = Path(__file__).resolve().parent.parent
NAME: Final = "platform"
START_TIMEOUT_S: Final = 400
READY_TIMEOUT_S: Final = 60
TASK_TIMEOUT_S: Final = 120
READY_POLL_S: Final = 0.1
KILLED_TIMEOUT_S: Final = 10
SECOND: Final = 5
"""The second process of a service listens so many ports above the first."""

SOURCES: Final = ("contracts", "kit", "profiles", "wording", "services")


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

    def is_up(self) -> bool:
        """Whether everything runs and is ready, services come last, and no keeper is at work."""
        lines = platform.status(self.known)
        return all(line.pid is None if line.name == keeper.NAME else line.ready for line in lines)

    def up(self) -> None:
        """Start what does not run; returns when everything is ready."""
        _launch(self.known.name, "up", "--test-data", "--no-keeper")

    def log(self, name: str) -> str:
        """Return everything a process has printed."""
        return Processes(self.known).log(name).read_text(encoding="utf-8", errors="replace")

    # -- what a fault does ----------------------------------------------------------------------

    def process(self, name: str) -> psutil.Process:
        """Return the live process called `name`, to be suspended and resumed."""
        return psutil.Process(self.pid(name))

    def kill(self, name: str) -> None:
        """Kill -9 a process and wait until it is gone."""
        process = self.process(name)
        process.kill()
        psutil.wait_procs([process], timeout=KILLED_TIMEOUT_S)

    def drain(self, name: str) -> None:
        """Tell a process to end, as a deployment does, and wait until it has."""
        Processes(self.known).stop(name)

    def start_infrastructure(self) -> None:
        """Start Kafka and PostgreSQL as far as they do not run; returns when they answer."""
        infrastructure.start(self.known, Screen(Console(file=io.StringIO())))

    def start(self, name: str, **settings: str) -> None:
        """Start one service and wait until it is ready; `settings` are variables of its own."""
        self._run(self._command(name, settings), services.admin_url(self.known, name))

    def start_second(self, name: str, *, code: Path = CHECKOUT, **settings: str) -> int:
        """Start another process of a service, `<name>-2`; return the port of its public door.

        `code` is the checkout that it runs from, with what that one has installed.
        """
        door = self.known.ports.service(name) + SECOND
        inner = self.known.ports.admin(name) + SECOND
        command = self._command(name, settings | {"PORT": str(door), "ADMIN_PORT": str(inner)})
        python = sys.executable if code == CHECKOUT else str(code / ".venv" / "bin" / "python")
        second = replace(command, name=f"{name}-2", argv=[python, *command.argv[1:]])
        self._run(second, f"http://{services.LOCALHOST}:{inner}")
        return door

    def task(self, name: str, *words: str, **settings: str) -> tuple[int, str]:
        """Run a one-off command of a service; return its exit code and what it said."""
        command = self._command(name, settings)
        done = subprocess.run(
            [*command.argv, *words],
            env=dict(command.environment),
            cwd=CHECKOUT,
            check=False,
            timeout=TASK_TIMEOUT_S,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    def _command(self, name: str, settings: Mapping[str, str]) -> Command:
        service = next(one for one in services.SERVICES if one.name == name)
        command = services.command(self.known, service)
        own = {f"PEAKDESK_{setting}": value for setting, value in settings.items()}
        return replace(command, environment={**command.environment, **own})

    def _run(self, command: Command, admin: str) -> None:
        processes = Processes(self.known)
        processes.start(command)
        processes.wait_ready(
            command.name,
            partial(_answers, f"{admin}/ready"),
            timeout_s=READY_TIMEOUT_S,
            every_s=READY_POLL_S,
        )


def running(name: str = NAME) -> Platform:
    """Return the platform instance of this name, up and made of the code as it stands."""
    wanted = Wanted(name, durable=False)
    folder = infrastructure.folder_of(wanted)
    with instance.locked(folder):
        known = infrastructure.open_instance(wanted, folder)
        left_behind = [f"{service.name}-2" for service in services.SERVICES]
        Processes(known).stop(*_older_than_the_code(known), *left_behind)
    found = Platform(known)
    if not found.is_up():
        found.up()
    return found


@contextmanager
def lent(name: str) -> Iterator[Platform]:
    """Have the platform of this name, and stop it afterwards unless it ran before.

    One that nobody uses takes a seventh of a core from the tests that go on.
    """
    ran_before = runs(name)
    try:
        yield running(name)
    finally:
        if not ran_before:
            end(name)


def runs(name: str) -> bool:
    """Whether the Kafka and PostgreSQL of this platform run."""
    known = instance.load(infrastructure.folder_of(Wanted(name)))
    return known is not None and infrastructure.runs(known)


def end(name: str) -> None:
    """Stop the platform of this name; its data stays."""
    _launch(name, "down")


def _launch(name: str, command: str, *options: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "launcher.cli", command, "--instance", name, *options],
        cwd=CHECKOUT,
        check=False,
        timeout=START_TIMEOUT_S,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the platform did not obey `{command}`: {done.stdout}{done.stderr}")


def _answers(url: str) -> bool:
    try:
        answer = httpx2.get(url, timeout=platform.PROBE_TIMEOUT_S, trust_env=False, verify=NO_TLS)
    except httpx2.HTTPError:
        return False
    return answer.status_code == httpx2.codes.OK


def _older_than_the_code(known: Instance) -> list[str]:
    newest = max(
        file.stat().st_mtime for part in SOURCES for file in (CHECKOUT / part).rglob("*.py")
    )
    found = {service.name: Processes(known).find(service.name) for service in services.SERVICES}
    return [name for name, process in found.items() if _started(process) < newest]


def _started(process: psutil.Process | None) -> float:
    return float("inf") if process is None else float(process.create_time())
