"""What the commands say of themselves, to somebody who has started nothing yet."""

import sys
from collections.abc import Sequence

import pytest

from launcher import cli

pytestmark = pytest.mark.unit

BESIDE = ("--folder", "/nowhere")


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["cli.py", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


@pytest.mark.parametrize("words", [("--help",), ("up", "--help"), ("up", "--bogus"), ("bogus",)])
def test_commands_are_called_as_they_are_typed(
    words: Sequence[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, *words)

    said = "".join(capfd.readouterr())
    assert "./peakdesk" in said
    assert "python -m" not in said


def test_the_options_of_a_rehearsal_are_told_without_an_instance(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "rehearse", *BESIDE, "--help") == 0

    said = capfd.readouterr().out
    assert "./peakdesk rehearse" in said
    assert "--dialogues" in said
    assert "--url, --login and --password are given" in said


def test_an_option_that_nobody_knows_reaches_no_service(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "recompute", *BESIDE, "--wat") == 2

    assert "No such option: --wat" in capfd.readouterr().err
