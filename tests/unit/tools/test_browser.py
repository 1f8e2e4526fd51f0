"""The browser for journeys: found, installed where we may, else one sentence."""

import io
import stat
from pathlib import Path

import pytest
from rich.console import Console

from launcher.errors import LaunchError
from launcher.screen import Screen
from tools import browser

pytestmark = pytest.mark.unit


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH; nothing is in it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def terminal() -> io.StringIO:
    """What the person at the terminal reads."""
    return io.StringIO()


def chromium(folder: Path) -> bool:
    program = folder / "chromium"
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return True


def test_a_browser_that_is_there_is_used_in_silence(programs: Path, terminal: io.StringIO) -> None:
    chromium(programs)

    browser.ensure(Screen(Console(file=terminal)), install=lambda: pytest.fail("installed"))

    assert browser.required() == programs / "chromium"
    assert terminal.getvalue() == ""


def test_one_that_is_missing_is_installed_and_said(programs: Path, terminal: io.StringIO) -> None:
    browser.ensure(Screen(Console(file=terminal)), install=lambda: chromium(programs))

    assert browser.find() == programs / "chromium"
    assert "about 150 MB" in terminal.getvalue()


def test_where_none_can_be_installed_the_sentence_names_both_ways_out(programs: Path) -> None:
    with pytest.raises(LaunchError, match=r"apt-get install .* chromium .*--no-browser"):
        browser.ensure(Screen(Console(file=io.StringIO())), install=lambda: False)


def test_every_journey_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "JOURNEYS", tmp_path)
    (tmp_path / "test_desk.py").write_text("async def test_a(): ...\n\ndef test_b(): ...\n")
    (tmp_path / "screens.py").write_text("def test_pattern(): ...\n")

    assert browser.count() == 2
