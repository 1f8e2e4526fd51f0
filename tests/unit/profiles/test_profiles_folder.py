"""A rule profile is one file in the folder: known to all who ask, or refused at the start."""

import shutil
from pathlib import Path
from typing import Any

import pytest

import profiles
from contracts.conversation import ShopListed
from kit.settings import SettingsRefused
from profiles import SHIPPED, ProfileRefused
from services.conversation import app as conversation
from services.conversation.settings import Settings as ConversationSettings
from services.monitor.directory.rules import Rules
from services.monitor.profiles import book
from services.monitor.settings import Settings as MonitorSettings
from tests.faults.figures import rules
from tools.pages import metrics
from wording import LiveEngine

pytestmark = pytest.mark.unit

QIYU = (SHIPPED / "qiyu.toml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped profiles and one more, which is a single new file."""
    made = shutil.copytree(SHIPPED, tmp_path / "profiles")
    (made / "own_night.toml").write_text(QIYU.replace('"qiyu"', '"own_night"'), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def lexicon() -> LiveEngine:
    """The shipped lexicon, which takes a second to load."""
    return LiveEngine()


def test_a_planted_file_is_known_to_everybody_who_asks(folder: Path) -> None:
    shipped = {file.stem for file in SHIPPED.glob("*.toml")}

    assert profiles.names(folder) == shipped | {"own_night"}
    assert set(book.load(folder).versions) == shipped | {"own_night"}
    assert {rule.name for rule in rules.shipped(folder)} == shipped | {"own_night"}
    assert "| `own_night` |" in metrics.tables(folder)["profiles"]


async def test_a_planted_file_is_offered_to_shops(folder: Path) -> None:
    settings = ConversationSettings(profiles_folder=str(folder))

    service = conversation.build(settings)
    offered = _offered(service.public().openapi())
    await service.close()

    assert offered == sorted(profiles.names(folder))
    assert "own_night" in offered


def test_a_new_shop_is_measured_by_profiles_that_exist() -> None:
    assert set(ShopListed.model_fields["profiles"].default) <= profiles.names()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name = ", r"own_night\.toml: not TOML"),
        (b"name = 'own_night'", r"own_night\.toml: effective_from: Field required"),
        ("名".encode("gbk"), r"own_night\.toml: not UTF-8"),
        (
            QIYU.replace('unanswered = "exclude"', 'unanswered = "cap"').encode(),
            r"own_night\.toml: rounds: unanswered = cap needs cap_s",
        ),
        (
            QIYU.replace("rejoin_s = 600", "rejoin_s = 600\nsilence_s = 600").encode(),
            r"own_night\.toml: sessions: silence_s and session_gap_s are both there",
        ),
        (
            QIYU.replace("first = [20, 100, 180]", "first = [20, 180, 100]").encode(),
            r"own_night\.toml: levels\.first: each step must be longer than the one before it",
        ),
    ],
)
async def test_a_broken_file_is_refused_at_the_start_of_all_who_read_it(
    folder: Path, lexicon: LiveEngine, content: bytes, said: str
) -> None:
    (folder / "own_night.toml").write_bytes(content)

    with pytest.raises(SettingsRefused, match=f"PEAKDESK_PROFILES_FOLDER: {said}"):
        conversation.build(ConversationSettings(profiles_folder=str(folder)))
    with pytest.raises(SettingsRefused, match=f"PEAKDESK_PROFILES_FOLDER: {said}"):
        Rules.from_settings(MonitorSettings(profiles_folder=str(folder)), lexicon)


def test_a_file_that_may_not_be_read_is_named(folder: Path) -> None:
    (folder / "own_night.toml").unlink()
    (folder / "own_night.toml").mkdir()

    with pytest.raises(ProfileRefused, match=r"own_night\.toml: cannot be read"):
        profiles.load(folder)


def _offered(document: dict[str, Any]) -> list[str]:
    """Return the profiles that the document lets a shop's policy name."""
    operation = document["paths"]["/v1/shops/{shop_id}/wording-policy"]["put"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    offered: list[str] = schema["properties"]["profiles"]["items"]["enum"]
    return offered
