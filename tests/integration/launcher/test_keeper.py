"""The keeper starts again what died, with a growing pause, and leaves alone what was stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from launcher import keeper, platform
from launcher.errors import LaunchError
from launcher.instance import instance
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.instance.processes import Command, Processes
from launcher.keeper import FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S, TOLD_WITHIN_S, Keeper
from tests.waiting import until

pytestmark = pytest.mark.integration

SLEEPS = "import time; print('last words', flush=True); time.sleep(600)"


@dataclass
class Watch:
    """A keeper with a clock of the test's own, over real processes."""

    known: Instance
    now: float = 1000.0
    started: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    trouble: Exception | None = None

    def __post_init__(self) -> None:
        self.processes = Processes(self.known)
        self.keeper = Keeper(self.known.folder, self.start, self.said.append, lambda: self.now)

    def start(self, known: Instance, name: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.started.append(name)
        Processes(known).start(
            Command(name, [sys.executable, "-c", SLEEPS], {}, signal.SIGTERM, stop_timeout_s=10)
        )

    def begin(self) -> None:
        """Start the one process on purpose and see it alive."""
        self.start(self.known, "child")
        self.started.clear()
        until(lambda: "last words" in self.processes.log("child").read_text())
        self.keeper.look()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End the process as a crash does, and wait until its end was seen."""
        process = self.processes.find("child")
        assert process is not None
        process.send_signal(number)
        until(lambda: self.processes.how_it_ended("child") != "nobody saw how")

    def look_after(self, seconds: float) -> None:
        self.now += seconds
        self.keeper.look()


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """An instance with a keeper that looks when the test says so."""
    made = Instance(tmp_path, "default", Ports(7300), brokers=1, durable=True)
    instance.save(made)
    found = Watch(made)
    yield found
    found.processes.stop(*found.processes.names())


def test_what_died_is_started_again_after_a_pause_and_its_death_is_told(watch: Watch) -> None:
    watch.begin()
    watch.kill()

    watch.look_after(1)
    assert watch.started == [], "first it is noted"
    watch.look_after(FIRST_PAUSE_S)

    assert watch.started == ["child"]
    died = watch.processes.deaths("child")
    assert died is not None
    assert (died.count, died.why, died.next_try_at) == (1, "killed by SIGKILL", None)
    assert "last words" in died.words


def test_how_a_process_died_is_told_even_if_the_word_comes_after_its_end(watch: Watch) -> None:
    watch.begin()
    child = watch.processes.find("child")
    assert child is not None
    waiter = child.parent()
    assert waiter is not None
    waiter.suspend()
    child.kill()
    until(lambda: watch.processes.find("child") is None)

    watch.look_after(0)
    waiter.resume()
    until(lambda: watch.processes.has_told("child"))
    watch.look_after(TOLD_WITHIN_S - 1)

    died = watch.processes.deaths("child")
    assert died is not None
    assert (died.count, died.why) == (1, "killed by SIGKILL")


def test_a_death_that_nobody_saw_is_of_now_and_not_of_its_start(watch: Watch) -> None:
    watch.begin()
    child = watch.processes.find("child")
    assert child is not None
    waiter = child.parent()
    assert waiter is not None
    long_ago = time.time() - 86_400
    os.utime(watch.known.processes / "child.ending", (long_ago, long_ago))
    waiter.kill()
    child.kill()
    until(lambda: watch.processes.find("child") is None)

    watch.look_after(0)
    assert watch.processes.deaths("child") is None, "somebody may tell it still"
    watch.look_after(TOLD_WITHIN_S)

    died = watch.processes.deaths("child")
    assert died is not None
    assert died.why == "nobody saw how"
    assert datetime.fromisoformat(died.at).timestamp() > long_ago + 3_600
    watch.look_after(FIRST_PAUSE_S)
    assert watch.started == ["child"]


def test_the_pause_grows_to_its_limit_and_a_steady_life_shortens_it(watch: Watch) -> None:
    watch.begin()
    pauses = []
    for _ in range(8):
        watch.kill()
        watch.look_after(0)
        before, tries = watch.now, len(watch.started)
        while len(watch.started) == tries:
            watch.look_after(1)
        pauses.append(watch.now - before)
        watch.look_after(1)

    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE_S, LONGEST_PAUSE_S]

    watch.look_after(STEADY_S + 1)
    watch.kill()
    watch.look_after(0)
    watch.look_after(FIRST_PAUSE_S)
    assert len(watch.started) == len(pauses) + 1


def test_what_was_stopped_on_purpose_stays_so(watch: Watch) -> None:
    watch.begin()
    watch.processes.stop("child")

    for _ in range(3):
        watch.look_after(LONGEST_PAUSE_S)

    assert watch.started == []
    assert watch.processes.deaths("child") is None


def test_what_only_stands_still_has_not_died(watch: Watch) -> None:
    watch.begin()
    child = watch.processes.find("child")
    assert child is not None
    child.suspend()

    watch.look_after(LONGEST_PAUSE_S)
    watch.look_after(LONGEST_PAUSE_S)

    assert watch.started == []
    assert [line for line in platform.status(watch.known) if line.deaths] == []
    child.resume()


def test_while_another_command_is_at_work_it_waits(watch: Watch) -> None:
    watch.begin()
    watch.kill()
    watch.look_after(0)

    with instance.locked(watch.known.folder):
        watch.look_after(LONGEST_PAUSE_S)
        assert watch.started == []
    watch.look_after(0)

    assert watch.started == ["child"]


def test_what_a_second_up_started_meanwhile_is_no_second_time(watch: Watch) -> None:
    watch.begin()
    watch.kill()
    watch.look_after(0)
    watch.start(watch.known, "child")

    watch.look_after(LONGEST_PAUSE_S)

    assert watch.started == ["child"], "by the other command alone"


def test_trouble_is_told_and_tried_again_later(watch: Watch) -> None:
    watch.begin()
    watch.kill()
    watch.look_after(0)
    watch.trouble = LaunchError("Port 7301, which orders needs, is taken by another program.")
    watch.look_after(FIRST_PAUSE_S)

    died = watch.processes.deaths("child")
    assert died is not None
    assert "Port 7301" in died.trouble
    assert died.next_try_at is not None

    watch.trouble = None
    watch.look_after(LONGEST_PAUSE_S)
    assert watch.started == ["child"]


def test_a_keeper_whose_instance_is_gone_has_nothing_left_to_do(watch: Watch) -> None:
    (watch.known.folder / "instance.json").unlink()
    for path in (watch.known.processes, watch.known.logs):
        path.rmdir()

    assert not watch.keeper.look()


def test_a_trouble_of_its_own_is_said_once_and_does_not_end_it(watch: Watch) -> None:
    (watch.known.folder / "instance.json").write_text("")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keeper.keep(watch.keeper, pause=pause)

    assert len(watch.said) == 1
    assert "empty or damaged" in watch.said[0]


def test_the_real_one_outlives_its_launcher_and_ends_at_once_when_told(watch: Watch) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from launcher import keeper; from launcher.instance import instance;"
        "from launcher.instance.processes import Processes;"
        "known = instance.load(Path(sys.argv[1]));"
        "Processes(known).start(keeper.command(known))"
    )
    subprocess.run([sys.executable, "-c", code, str(watch.known.folder)], check=True, timeout=60)
    running = watch.processes.find(keeper.NAME)
    assert running is not None
    assert os.getsid(running.pid) != os.getsid(0), "no terminal of ours can end it"
    until((watch.known.processes / "keeper.lock").exists)

    second = subprocess.run(
        keeper.command(watch.known).argv, capture_output=True, text=True, check=False, timeout=60
    )
    assert "another keeper is at work" in second.stderr

    platform.end_keeper(watch.known)
    assert not running.is_running() or running.status() == psutil.STATUS_ZOMBIE
