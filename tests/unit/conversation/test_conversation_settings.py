"""What a conversation process refuses to start with, and what its command line offers."""

import base64
import sys

import pytest

from kit.settings import Environment, SettingsRefused, load
from services.conversation.app import main
from services.conversation.settings import Settings

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["TOKEN_PRIVATE_KEY", "SHOP_SECRET_KEY", "CURSOR_SECRET"])
def test_production_refuses_known_secrets(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEAKDESK_ENVIRONMENT", "production")
    monkeypatch.setenv("PEAKDESK_ALLOW_PLAINTEXT_BROKER", "true")

    with pytest.raises(SettingsRefused, match=f"PEAKDESK_{name}"):
        load(Settings)


@pytest.mark.parametrize(
    ("name", "cheap"), [("PASSWORD_MEMORY_KIB", "19455"), ("PASSWORD_ROUNDS", "1")]
)
def test_production_refuses_hashes_that_are_guessed_cheaply(
    name: str, cheap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"PEAKDESK_{name}", cheap)
    assert load(Settings).environment is Environment.LOCAL
    monkeypatch.setenv("PEAKDESK_ENVIRONMENT", "production")
    monkeypatch.setenv("PEAKDESK_ALLOW_PLAINTEXT_BROKER", "true")
    for own in ("TOKEN_PRIVATE_KEY", "TOKEN_PUBLIC_KEY", "SERVICE_PUBLIC_KEY"):
        monkeypatch.setenv(
            f"PEAKDESK_{own}", base64.b64encode(own.ljust(32)[:32].encode()).decode()
        )
    for own in ("SHOP_SECRET_KEY", "CURSOR_SECRET", "DATABASE_URL"):
        monkeypatch.setenv(f"PEAKDESK_{own}", own * 4)

    with pytest.raises(SettingsRefused, match=r"PASSWORD_MEMORY_KIB=19456 and .*PASSWORD_ROUNDS=2"):
        load(Settings)

    monkeypatch.delenv(f"PEAKDESK_{name}")
    assert load(Settings).environment is Environment.PRODUCTION


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
