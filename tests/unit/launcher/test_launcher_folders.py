"""Where an instance may live, and that what is there already is never touched."""

import stat
from pathlib import Path

import pytest

from launcher.errors import LaunchError
from launcher.instance import folders, instance
from launcher.instance.account import Account
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports

pytestmark = pytest.mark.unit

STRANGER = Account("stranger", 65_123, 65_123)


def fresh(folder: Path) -> Instance:
    made = Instance(folder, "default", Ports(7300), brokers=1, durable=True)
    instance.save(made)
    return made


def test_a_kept_instance_is_read_back_as_it_was(tmp_path: Path) -> None:
    made = fresh(tmp_path)

    assert instance.load(tmp_path) == made


def test_an_empty_folder_holds_no_instance(tmp_path: Path) -> None:
    assert instance.load(tmp_path) is None
    assert instance.load(tmp_path / "absent") is None


def test_a_foreign_folder_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    theirs = tmp_path / "holiday.jpg"
    theirs.write_text("sea")

    with pytest.raises(LaunchError, match="name another folder with --folder"):
        instance.load(tmp_path)

    assert [*tmp_path.iterdir()] == [theirs]


def test_a_folder_of_a_later_version_is_refused(tmp_path: Path) -> None:
    fresh(tmp_path)
    mark = tmp_path / "instance.json"
    mark.write_text(mark.read_text().replace('"format": 1', '"format": 99'))

    with pytest.raises(LaunchError, match="format 99"):
        instance.load(tmp_path)


def test_a_secret_is_made_once_and_hidden_from_others(tmp_path: Path) -> None:
    made = fresh(tmp_path)

    first = made.secret("cursor")

    assert made.secret("cursor") == first
    assert made.secret("intake") != first
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_two_launchers_never_work_in_one_folder(tmp_path: Path) -> None:
    with (
        instance.locked(tmp_path),
        pytest.raises(LaunchError, match="Another peakdesk command"),
        instance.locked(tmp_path, timeout_s=0),
    ):
        pytest.fail("the second lock was given")


def test_a_folder_that_only_its_owner_enters_is_out_of_reach(tmp_path: Path) -> None:
    private = tmp_path / "private"
    (private / "checkout").mkdir(parents=True)
    private.chmod(0o700)

    assert not STRANGER.can_enter(private / "checkout")
    assert not STRANGER.can_enter(private / "checkout" / "not" / "there" / "yet")


def test_a_chosen_folder_out_of_reach_is_refused_with_a_cure(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    with pytest.raises(LaunchError, match="stranger, who cannot enter"):
        folders.home(tmp_path / "data", STRANGER)


def test_a_normal_user_keeps_instances_in_the_checkout(tmp_path: Path) -> None:
    assert folders.place(None, None, checkout=tmp_path) == tmp_path / ".peakdesk"
    assert list(tmp_path.iterdir()) == [], "asking makes nothing"
    assert folders.home(None, None, checkout=tmp_path) == tmp_path / ".peakdesk"


def test_a_chosen_folder_is_taken_and_made(tmp_path: Path) -> None:
    assert folders.home(tmp_path / "a b", None).is_dir()
