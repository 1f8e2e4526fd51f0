"""What a conversation process refuses to start with, and what its command line offers."""

import sys

import pytest

from kit.settings import SettingsRefused, load
from services.conversation.app import main
from services.conversation.settings import Settings

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["TOKEN_PRIVATE_KEY", "SHOP_SECRET_KEY", "CURSOR_SECRET"])
def test_production_refuses_known_secrets(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEAKDESK_ENVIRONMENT", "production")
    monkeypatch.setenv("PEAKDESK_ALLOW_PLAINTEXT_BROKER", "true")

    with pytest.raises(SettingsRefused, match=f"PEAKDESK_{name}"):
        load(Settings)


def test_a_mistyped_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEAKDESK_ARCHIVE_ROW", "100")

    with pytest.raises(SettingsRefused, match="did you mean PEAKDESK_ARCHIVE_ROWS"):
        load(Settings)


@pytest.mark.parametrize("arguments", [["--help"], ["generation"], ["replay"], ["a", "b"]])
def test_an_unknown_command_is_answered_with_the_known_ones(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["conversation", *arguments])

    with pytest.raises(SystemExit, match=r"replay GROUP . generation --begin"):
        main()


def test_only_groups_of_this_service_are_replayed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["conversation", "replay", "monitor.fold"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert "conversation.archive and conversation.routing" in capsys.readouterr().err


def test_a_command_without_settings_says_which_are_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["conversation", "generation", "--begin"])
    monkeypatch.setenv("PEAKDESK_ARCHIVE_ROW", "100")

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert "PEAKDESK_ARCHIVE_ROWS" in capsys.readouterr().err
