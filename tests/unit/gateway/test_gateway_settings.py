"""The gateway's settings: who may connect is named, one by one."""

from pathlib import Path

import pytest

from kit.settings import SettingsRefused, load
from services.gateway.app import build
from services.gateway.settings import Settings

pytestmark = pytest.mark.unit


def test_the_origins_are_those_that_are_named() -> None:
    settings = Settings(allowed_origins="https://a.example, https://b.example,")

    assert settings.origins == {"https://a.example", "https://b.example"}


@pytest.mark.parametrize("origins", ["*", "https://a.example, *", "https://*.example"])
def test_an_origin_that_stands_for_many_refuses_the_start_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, origins: str
) -> None:
    monkeypatch.setenv("PEAKDESK_ALLOWED_ORIGINS", origins)

    with pytest.raises(SettingsRefused, match="PEAKDESK_ALLOWED_ORIGINS: name each origin"):
        load(Settings)


def test_a_lexicon_that_cannot_be_read_refuses_the_start_and_names_the_variable(
    tmp_path: Path,
) -> None:
    with pytest.raises(SettingsRefused, match="PEAKDESK_LEXICON_FOLDER"):
        build(Settings(lexicon_folder=str(tmp_path / "absent")))
