"""The checks in one run: every step runs, each has its line, and one failure fails the whole."""

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from launcher.errors import LaunchError
from launcher.instance import logs
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.screen import Screen
from tools import checks
from tools.checks import Step

pytestmark = pytest.mark.unit

PYTHON = Path(sys.executable).name
GOOD = Step("good", (PYTHON, "-c", "pass"))
BAD = Step("bad", (PYTHON, "-c", "print('line 7 is wrong'); raise SystemExit(3)"))


@pytest.fixture
def terminal() -> io.StringIO:
    """What the person at the terminal reads."""
    return io.StringIO()


@pytest.fixture
def screen(terminal: io.StringIO) -> Screen:
    """A screen that writes to `terminal`."""
    return Screen(Console(file=terminal, width=100))


def test_clean_steps_pass_in_silence(screen: Screen, terminal: io.StringIO) -> None:
    checks.check(screen, (GOOD,))

    assert "good" in terminal.getvalue()


def test_a_failed_step_shows_what_its_tool_said_and_the_others_still_run(
    screen: Screen, terminal: io.StringIO
) -> None:
    with pytest.raises(LaunchError, match="Failed: bad"):
        checks.check(screen, (BAD, GOOD))

    assert "line 7 is wrong" in terminal.getvalue()
    assert "good" in terminal.getvalue()


def test_steps_run_side_by_side(screen: Screen, tmp_path: Path) -> None:
    meets = """
import pathlib, sys, time
own, others = map(pathlib.Path, sys.argv[1:])
own.touch()
while not others.exists():
    time.sleep(0.01)
"""
    here, there = str(tmp_path / "here"), str(tmp_path / "there")
    steps = [
        Step(name, (PYTHON, "-c", meets, own, others))
        for name, own, others in (("one", here, there), ("two", there, here))
    ]

    checks.check(screen, steps)


def test_a_tool_that_is_not_installed_is_named(screen: Screen) -> None:
    with pytest.raises(LaunchError, match="no-such-tool is not installed"):
        checks.check(screen, (Step("absent", ("no-such-tool",)),))


def test_the_last_lines_of_a_log_are_shown(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))

    assert logs.last_lines(log, 2) == ["line 98", "line 99"]
    assert logs.last_lines(log, 0) == []


def test_following_shows_whole_lines_as_they_are_written(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    log.write_text("old\n")
    written = iter(["half a li", "ne\nand more\n"])

    def write_on(_: float) -> None:
        with log.open("a") as file:
            file.write(next(written))

    seen = logs.follow([log], pause=write_on)

    assert next(seen) == ("gateway", "half a line")
    assert next(seen) == ("gateway", "and more")
    seen.close()


def test_following_goes_on_through_a_log_that_is_set_aside_or_emptied(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    log.write_text("old\n")

    def set_aside() -> None:
        with log.open("a") as file:
            file.write("the last words\n")
        log.replace(log.with_suffix(".log.1"))

    def is_written_anew() -> None:
        log.write_text("started\n")

    def is_emptied() -> None:
        with log.open("r+") as file:
            file.truncate(0)
            file.write("after\n")

    happens = iter([set_aside, is_written_anew, is_emptied])
    seen = logs.follow([log], pause=lambda _: next(happens)())

    assert [next(seen)[1] for _ in range(3)] == ["the last words", "started", "after"]
    seen.close()


def test_a_log_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    known = Instance(tmp_path, "default", Ports(7300), brokers=1, durable=True)
    known.logs.mkdir()
    (known.logs / "orders.log").touch()

    with pytest.raises(LaunchError, match=r"no log called order\. There are: orders"):
        logs.files(known, "order")


@pytest.mark.parametrize("words", [(), ("--no-browser",), ("--browser",)])
def test_words_about_the_browser_still_mean_the_whole_run(words: tuple[str, ...]) -> None:
    assert checks.is_whole(words)
    assert not checks.is_whole((*words, "tests/unit"))
