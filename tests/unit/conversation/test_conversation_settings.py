"""What a conversation process refuses to start with, and what its command line offers."""

import pytest

from kit.settings import SettingsRefused, load
from services.conversation.app import main
from services.conversation.settings import ConversationSettings

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["TOKEN_PRIVATE_KEY", "SHOP_SECRET_KEY", "CURSOR_SECRET"])
def test_production_refuses_known_secrets(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEAKDESK_ENVIRONMENT", "production")
    monkeypatch.setenv("PEAKDESK_ALLOW_PLAINTEXT_BROKER", "true")

    with pytest.raises(SettingsRefused, match=f"PEAKDESK_{name}"):
        load(ConversationSettings)


def test_a_mistyped_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEAKDESK_ARCHIVE_ROW", "100")

    with pytest.raises(SettingsRefused, match="did you mean PEAKDESK_ARCHIVE_ROWS"):
        load(ConversationSettings)


@pytest.mark.parametrize("arguments", [["--help"], ["generation"], ["replay"]])
def test_an_unknown_command_is_answered_with_the_known_ones(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"replay GROUP . generation --begin"):
        main(arguments)


def test_only_groups_of_this_service_are_replayed() -> None:
    with pytest.raises(SystemExit, match=r"conversation\.archive and conversation\.routing"):
        main(["replay", "monitor.fold"])
