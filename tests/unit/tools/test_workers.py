"""Which worker gets which tests, and when the platform that many of them share is stopped."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from xdist.remote import Producer

from tests import platform as platforms
from tests import workers
from tests.workers import ByPlatform

pytestmark = pytest.mark.unit

TESTS = (
    "tests/attacks/test_tokens.py::test_one",
    "tests/journeys/test_chat.py::test_one",
    "tests/journeys/test_chat.py::test_two",
    "tests/attacks/test_rows.py::test_one",
    "tests/unit/kit/test_ids.py::test_one",
    "tests/unit/kit/test_ids.py::test_two",
    "tests/unit/kit/test_text.py::test_one",
)


@dataclass(eq=False)
class Worker:
    """A worker that only notes what it is told."""

    gateway: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(id="gw"))
    given: list[int] = field(default_factory=list)
    shutting_down: bool = False

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        self.given.extend(indices)

    def shutdown(self) -> None:
        self.shutting_down = True


class Run:
    """A run of `TESTS` by two workers, each of which plays the first test that it was given."""

    def __init__(self, tests: Sequence[str] = TESTS) -> None:
        config = SimpleNamespace(
            getvalue=lambda _: ["popen", "popen"], option=SimpleNamespace(loadscopereorder=False)
        )
        self.tests = tests
        self.workers = [Worker(), Worker()]
        self.scheduler = ByPlatform(cast("Any", config), Producer("test"))
        for worker in self.workers:
            self.scheduler.add_node(cast("Any", worker))
        for worker in self.workers:
            self.scheduler.add_node_collection(cast("Any", worker), list(tests))
        self.scheduler.schedule()

    def play(self, name: str) -> None:
        """End this test, whoever has it."""
        index = self.tests.index(name)
        worker = next(worker for worker in self.workers if index in worker.given)
        self.scheduler.mark_test_complete(cast("Any", worker), index)


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Platforms that were stopped."""
    found: list[str] = []
    monkeypatch.setattr(platforms, "runs", lambda _: False)
    monkeypatch.setattr(platforms, "end", found.append)
    return found


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done beside the run is done before it goes on."""

    class AtOnce:
        def __init__(self, **given: Any) -> None:
            self.start = lambda: given["target"](*given["args"])

    monkeypatch.setattr(workers, "Thread", AtOnce)


def test_a_shared_platform_is_stopped_behind_the_last_of_its_tests(ended: list[str]) -> None:
    run = Run()
    for name in (TESTS[0], TESTS[1], TESTS[3]):
        run.play(name)
    assert ended == []

    run.play(TESTS[2])

    assert ended == ["platform"]


def test_a_platform_that_ran_before_the_run_is_left_alone(
    ended: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platforms, "runs", lambda _: True)
    run = Run()

    for name in TESTS[:3]:
        run.play(name)

    assert ended == []


def test_where_nobody_goes_on_the_platform_stays_for_the_next_run(ended: list[str]) -> None:
    run = Run(TESTS[:3])

    for name in TESTS[:3]:
        run.play(name)

    assert ended == []


def test_what_is_said_to_stand_on_no_platform_are_the_tests_there_that_are_no_journeys() -> None:
    there = [
        path.relative_to(platforms.CHECKOUT).as_posix()
        for folder in workers.SHARING
        for path in (platforms.CHECKOUT / folder).glob("test_*.py")
        if "pytest.mark.journey" not in path.read_text(encoding="utf-8")
    ]

    assert sorted(there) == sorted(workers.ALONE)
