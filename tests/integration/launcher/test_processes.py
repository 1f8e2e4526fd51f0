"""Processes are known by pid and start time, and nothing that is not ours is ever ended."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from launcher.errors import LaunchError
from launcher.instance import instance
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.instance.processes import Command, Processes

pytestmark = pytest.mark.integration

SLEEPS = "import time; print('awake', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEPS


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """The processes of a new instance; whatever a test leaves running is ended after it."""
    made = Instance(tmp_path, "default", Ports(7300), brokers=1, durable=True)
    instance.save(made)
    ours = Processes(made)
    yield ours
    for name in ours.names():
        ours.stop(name)


def command(code: str, *, stop_timeout_s: float = 10) -> Command:
    return Command("child", [sys.executable, "-c", code], {}, signal.SIGTERM, stop_timeout_s)


def is_awake(processes: Processes) -> bool:
    return "awake" in processes.log("child").read_text()


def test_a_started_process_is_found_by_a_later_launcher(
    processes: Processes, tmp_path: Path
) -> None:
    processes.start(command(SLEEPS))

    later = instance.load(tmp_path)
    assert later is not None
    assert Processes(later).pid("child") == processes.pid("child")


def test_a_process_that_steps_back_says_so_to_the_system(processes: Processes) -> None:
    processes.start(replace(command(SLEEPS), niceness=5))

    child = processes.find("child")
    assert child is not None
    assert child.nice() == psutil.Process().nice() + 5


def test_a_stopped_process_is_gone(processes: Processes) -> None:
    processes.start(command(SLEEPS))
    child = processes.find("child")
    assert child is not None

    assert processes.stop("child")

    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert not processes.stop("child")


def test_a_process_that_ignores_the_signal_is_killed_when_its_time_is_over(
    processes: Processes,
) -> None:
    processes.start(command(STUBBORN, stop_timeout_s=0.2))
    processes.wait_ready("child", lambda: is_awake(processes), timeout_s=20)

    assert processes.stop("child")

    assert processes.find("child") is None


def test_a_stranger_with_the_pid_of_a_dead_child_is_left_alone(
    processes: Processes, tmp_path: Path
) -> None:
    note = {"pid": os.getpid(), "started": 1.0, "signal": signal.SIGKILL, "timeout_s": 1}
    (tmp_path / "processes" / "child.json").write_text(json.dumps(note))

    assert processes.find("child") is None
    assert not processes.stop("child")


def test_a_child_that_dies_while_it_starts_is_reported_with_its_last_words(
    processes: Processes,
) -> None:
    processes.start(command("raise SystemExit('no disk left')"))

    with pytest.raises(LaunchError, match=r"child ended while it started.*no disk left"):
        processes.wait_ready("child", lambda: False, timeout_s=20)


def test_the_end_of_one_that_was_killed_is_not_told_into_its_successors_file(
    processes: Processes, tmp_path: Path
) -> None:
    processes.start(command(SLEEPS))
    killed = processes.find("child")
    assert killed is not None
    shell = killed.parent()
    assert shell is not None
    shell.suspend()
    killed.kill()
    processes.start(command(SLEEPS))
    shell.resume()
    shell.wait(timeout=20)

    (ending,) = (tmp_path / "processes").glob("*ending*")
    assert ending.read_text() == f"{processes.pid('child')}\n"


def test_a_child_that_never_gets_ready_is_reported_with_its_log(processes: Processes) -> None:
    processes.start(command(SLEEPS))

    with pytest.raises(LaunchError, match=r"not ready after 0 s: see .*child\.log"):
        processes.wait_ready("child", lambda: False, timeout_s=0.2)


def test_a_child_outlives_the_launcher_that_started_it(tmp_path: Path) -> None:
    made = Instance(tmp_path, "default", Ports(7300), brokers=1, durable=True)
    instance.save(made)
    code = (
        "from pathlib import Path; from launcher.instance import instance;"
        "from launcher.instance.processes import *; import sys;"
        f"ours = Processes(instance.load(Path({str(tmp_path)!r})));"
        f"ours.start(Command('child', [sys.executable, '-c', {SLEEPS!r}], {{}}, 15, 5))"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

    ours = Processes(made)
    assert ours.find("child") is not None
    ours.stop("child")
