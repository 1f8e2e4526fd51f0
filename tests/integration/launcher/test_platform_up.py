"""The whole platform through the command line: up, again, with a dead service, down."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from launcher import infrastructure, platform
from launcher.infrastructure import Wanted
from launcher.instance import instance
from launcher.instance.instance import Instance
from launcher.instance.typed import typed
from launcher.services import SERVICES

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

COMMAND_TIMEOUT_S = 180


@dataclass(frozen=True)
class Machine:
    """A throw-away instance that is spoken to as a person would."""

    wanted: Wanted

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        argv = [sys.executable, "-m", "launcher.cli", *words, "--instance", self.wanted.name]
        return subprocess.run(
            argv,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_TIMEOUT_S,
            env=os.environ | {"COLUMNS": "20"},  # into a pipe nothing is broken or cut
        )

    @property
    def known(self) -> Instance:
        found = instance.load(infrastructure.folder_of(self.wanted))
        assert found is not None
        return found

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + COMMAND_TIMEOUT_S
        while not all(line.ready for line in platform.status(self.known)):
            assert time.monotonic() < deadline
            time.sleep(0.5)

    def pids(self) -> dict[str, int | None]:
        return {line.name: line.pid for line in platform.status(self.known)}


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A new instance, stopped and removed at the end."""
    fresh = Machine(Wanted(f"trial-{secrets.token_hex(4)}"))
    yield fresh
    fresh.run("down")
    shutil.rmtree(infrastructure.folder_of(fresh.wanted), ignore_errors=True)


def test_before_up_every_command_says_how_to_begin(machine: Machine) -> None:
    done = machine.run("status")

    assert done.returncode == 1
    up = typed("up", infrastructure.folder_of(machine.wanted))
    assert f"`{up}` makes it" in done.stderr
    assert not infrastructure.folder_of(machine.wanted).exists(), "asking makes nothing"


def test_a_demo_starts_nothing_when_its_rehearsal_knows_no_such_option(machine: Machine) -> None:
    done = machine.run("demo", "--rat", "9")

    assert done.returncode == 2
    assert "--rat" in done.stderr
    assert not infrastructure.folder_of(machine.wanted).exists()


def test_up_ends_with_everything_ready_and_a_second_up_changes_nothing(machine: Machine) -> None:
    first = machine.run("up", "--test-data")
    assert first.returncode == 0, first.stderr
    assert "PeakDesk is up: http://127.0.0.1:" in first.stdout
    assert "supervisor@demo" in first.stdout
    before = machine.pids()
    assert None not in before.values()

    second = machine.run("up")

    assert second.returncode == 0, second.stderr
    assert machine.pids() == before
    assert machine.run("status").returncode == 0


def test_a_dead_service_is_started_again_alone_and_status_says_why(machine: Machine) -> None:
    before = machine.pids()
    gateway = before.pop("gateway")
    assert gateway is not None
    psutil.Process(gateway).send_signal(signal.SIGKILL)

    machine.wait_until_ready()
    shown = machine.run("status")

    assert "gateway died once" in shown.stdout
    assert "killed by SIGKILL" in shown.stdout
    after = machine.pids()
    assert after.pop("gateway") not in {None, gateway}
    assert after == before


def test_without_a_keeper_a_dead_service_is_shown_and_the_next_up_starts_it(
    machine: Machine,
) -> None:
    before = machine.pids()
    assert machine.run("up", "--no-keeper").returncode == 0
    assert machine.pids() == before | {"keeper": None}
    orders = before["orders"]
    assert orders is not None
    psutil.Process(orders).send_signal(signal.SIGKILL)

    shown = machine.run("status", "--json")
    repaired = machine.run("up")

    assert shown.returncode == 1
    found = {line["name"]: line for line in json.loads(shown.stdout)["processes"]}
    assert (found["orders"]["state"], found["orders"]["pid"]) == ("ended", None)
    assert found["orders"]["deaths"]["why"] == "killed by SIGKILL"
    assert found["keeper"]["state"] == "stopped"
    assert repaired.returncode == 0, repaired.stderr
    assert None not in machine.pids().values()


def test_topics_dead_letters_and_logs_can_be_seen(machine: Machine) -> None:
    assert "conversation_id" in machine.run("topics").stdout
    topics = json.loads(machine.run("topics", "--json").stdout)["topics"]
    assert {line["partitions"] == line["wanted_partitions"] for line in topics} == {True}
    assert "0 dead letters" in machine.run("deadletters").stdout
    assert json.loads(machine.run("deadletters", "--json").stdout) == {
        "total": 0,
        "dead_letters": [],
    }
    assert "service.started" in machine.run("logs", "orders", "--lines", "2000").stdout


def test_down_ends_every_process(machine: Machine) -> None:
    ours = [psutil.Process(pid) for pid in machine.pids().values() if pid is not None]
    assert len(ours) == len(SERVICES) + len(("kafka", "postgres", "keeper"))

    done = machine.run("down")

    assert done.returncode == 0, done.stderr
    assert not [p for p in ours if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
