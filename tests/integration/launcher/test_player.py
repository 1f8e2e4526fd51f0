"""The player as a process of its instance: begun once, kept while it is wanted, ended for good."""

import io
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from launcher import cli, demo, infrastructure, player, revival
from launcher.instance import instance
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.instance.processes import Processes
from launcher.keeper import FIRST_PAUSE_S, Keeper
from launcher.screen import Screen
from tests.waiting import until

pytestmark = pytest.mark.integration


@dataclass
class Stage:
    """An instance whose platform is away; a player waits for it."""

    known: Instance

    def __post_init__(self) -> None:
        self.said = io.StringIO()
        self.screen = Screen(Console(file=self.said, width=200))
        self.processes = Processes(self.known)

    def pid(self) -> int | None:
        """Return whose number the player has, None if there is none."""
        found = self.processes.find(player.NAME)
        return None if found is None else found.pid


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An instance without a platform."""
    made = Instance(tmp_path, "default", Ports(7300), brokers=1, durable=True)
    instance.save(made)
    found = Stage(made)
    yield found
    found.processes.stop(*found.processes.names())


def test_who_begins_it_twice_has_one(stage: Stage) -> None:
    player.begin(stage.known, stage.screen)
    first = stage.pid()
    player.begin(stage.known, stage.screen)

    assert first is not None
    assert stage.pid() == first
    assert "runs already" in stage.said.getvalue()


def test_its_keeper_starts_it_again_when_it_was_killed_and_not_when_it_was_ended(
    stage: Stage,
) -> None:
    now = 1000.0
    kept = Keeper(stage.known.folder, revival.start, lambda _: None, lambda: now)
    player.begin(stage.known, stage.screen)
    first = stage.processes.find(player.NAME)
    assert first is not None
    kept.look()

    first.send_signal(signal.SIGKILL)
    until(lambda: stage.processes.how_it_ended(player.NAME) != "nobody saw how")
    for _ in range(2):
        now += FIRST_PAUSE_S
        kept.look()
    assert stage.pid() not in {None, first.pid}

    player.end(stage.known, stage.screen)
    for _ in range(3):
        now += FIRST_PAUSE_S
        kept.look()
    assert stage.pid() is None
    assert player.NAME not in stage.processes.names()


def test_a_still_demo_ends_whoever_plays_and_begins_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_bring_up", lambda *_: stage.known)
    monkeypatch.setattr(cli, "_screen", lambda: stage.screen)
    monkeypatch.setattr(infrastructure, "folder_of", lambda _: stage.known.folder)
    monkeypatch.setattr(demo, "check_options", lambda _: None)
    monkeypatch.setattr(demo, "rehearse", lambda *_: 0)

    def run(*options: str) -> int:
        with pytest.raises(SystemExit) as ended:
            cli.app(["demo", *options])
        return int(ended.value.code or 0)

    assert run() == 0
    assert stage.pid() is not None
    assert "agents 3 to 8" in stage.said.getvalue()
    stage.said.truncate(0)

    assert run("--still") == 0
    assert stage.pid() is None
    assert "agents 3 to 8" not in stage.said.getvalue()

    assert run("--still") == 0
    assert stage.pid() is None
