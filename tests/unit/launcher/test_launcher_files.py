"""Files of an instance: whole, private, and a full disk is called one."""

import errno
import os
import stat
from pathlib import Path

import pytest

from launcher.instance import files, folders, instance, space
from launcher.instance.account import Account
from launcher.instance.files import Damaged
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.instance.processes import Processes

pytestmark = pytest.mark.unit

FULL = OSError(errno.ENOSPC, "No space left on device")
ME = Account("me", os.getuid(), os.getgid())


@pytest.fixture
def known(tmp_path: Path) -> Instance:
    """An instance whose launcher was an older one: everything is open to everybody."""
    made = Instance(tmp_path / "default", "default", Ports(7300), brokers=1, durable=True)
    made.folder.mkdir()
    instance.save(made)
    made.secret("cursor")
    (made.kafka_folder / "0" / "data").mkdir(parents=True)
    for path in (made.kafka_folder / "0" / "data" / "chat.log", made.logs / "gateway.log"):
        path.write_text("what a buyer said")
    for place in (made.folder, *made.folder.rglob("*")):
        place.chmod(0o755 if place.is_dir() else 0o644)
    return made


def mode(place: Path) -> int:
    return stat.S_IMODE(place.stat().st_mode)


def test_what_an_older_launcher_left_open_is_closed_with_all_that_is_in_it(known: Instance) -> None:
    folders.make_own(known.folder, None)
    instance.make_folders(known)

    assert {
        place.name: mode(place) for place in known.folder.rglob("*") if mode(place) & 0o077
    } == {}
    assert mode(known.folder) == 0o700


def test_the_account_of_postgresql_may_walk_through_and_see_nothing(known: Instance) -> None:
    folders.make_own(known.folder, ME)
    instance.make_folders(known)

    assert mode(known.folder) == 0o711
    assert {mode(place) for place in known.folder.iterdir() if place.is_dir()} == {0o700}


def test_a_folder_of_yours_keeps_its_bits(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)

    folders.home(shared, ME)

    assert mode(shared) == 0o1777


def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "instance.json"
    files.write(path, "old")
    monkeypatch.setattr(os, "fsync", raises_full)

    with pytest.raises(OSError, match="No space left"):
        files.write(path, "new")

    assert [(file, file.read_text()) for file in tmp_path.iterdir()] == [(path, "old")]


def raises_full(_: int) -> None:
    raise FULL


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', "\x00" * 64])
def test_a_damaged_process_note_is_as_good_as_none(known: Instance, content: str) -> None:
    (known.processes / "gateway.json").write_text(content)
    processes = Processes(known)

    assert processes.find("gateway") is None
    assert not processes.stop("gateway")
    assert processes.names() == [], "and the next command is rid of it"


@pytest.mark.parametrize("name", ["instance.json", "secrets.json"])
@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_damaged_file_is_named_with_a_cure(known: Instance, name: str, content: str) -> None:
    (known.folder / name).write_text(content)

    with pytest.raises(Damaged, match=rf"{name} is empty or damaged: put a copy back"):
        (instance.load(known.folder) or known).secrets()


def test_a_first_start_on_a_full_disk_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Instance(tmp_path, "default", Ports(7300), brokers=1, durable=True)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", raises_full)
        with instance.locked(tmp_path), pytest.raises(OSError, match="No space left"):
            instance.save(made)
    (tmp_path / ".instance.json.x7").write_text("of a launcher that was killed")

    assert instance.load(tmp_path) is None
    instance.save(made)
    assert instance.load(tmp_path) == made


def test_a_full_disk_is_known_through_the_errors_that_came_of_it() -> None:
    failed = RuntimeError("download failed")
    failed.__cause__ = FULL

    assert space.is_full(failed)
    assert space.is_full(OSError(errno.EDQUOT, "Disk quota exceeded"))
    assert not space.is_full(ConnectionError())


def test_a_programs_last_words_tell_of_a_full_disk(tmp_path: Path) -> None:
    said = "FATAL:  could not extend file: No space left on device"

    assert space.complaint(tmp_path, "FATAL: the port is taken") is None
    assert "is full" in (space.complaint(tmp_path, said) or "")


def test_a_program_that_is_copied_for_another_account_can_be_read_by_it(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "initdb"
    program.parent.mkdir(mode=0o700)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)

    folders.open_to_others(tmp_path / "bin")

    assert (mode(program.parent), mode(program)) == (0o755, 0o755)


def test_a_damaged_instance_does_not_stop_the_one_beside_it(known: Instance) -> None:
    (known.folder / "instance.json").write_text("")

    assert instance.siblings(known.folder.parent / "another") == []
