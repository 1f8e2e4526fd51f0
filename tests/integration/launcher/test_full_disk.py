"""A disk that is really full: a small one of its own, where the system lets us mount it."""

import contextlib
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from launcher.errors import LaunchError
from launcher.instance import instance, space
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.instance.processes import Command, Processes
from launcher.interpreter import run_module
from launcher.kafka import jars
from launcher.kafka.jars import Jar
from tests.waiting import until

pytestmark = pytest.mark.integration

SIZE = 256 * 1024
SLEEPS = Command("child", [sys.executable, "-c", "import time; time.sleep(600)"], {}, 15, 10)


class SmallDisk:
    """A folder with little room; where nothing may be mounted, one whose syncs say it is full."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
        self.is_real = subprocess.run(mount, check=False, capture_output=True).returncode == 0

    @contextlib.contextmanager
    def filled(self) -> Iterator[None]:
        """Leave not a byte while the block lasts."""
        if not self.is_real:
            with self._monkeypatch.context() as full:
                full.setattr(os, "fsync", says_full)
                yield
            return
        filling = self.folder / "filling"
        with filling.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 512)
        yield
        filling.unlink()

    def end(self) -> None:
        if self.is_real:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


def says_full(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def disk(passable: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    """A small disk, gone at the end."""
    folder = passable / "disk"
    folder.mkdir()
    made = SmallDisk(folder, monkeypatch)
    yield made
    made.end()


@pytest.fixture
def known(disk: SmallDisk) -> Instance:
    """An instance on the small disk."""
    place = disk.folder / "default"
    place.mkdir()
    made = Instance(place, "default", Ports(7300), brokers=1, durable=True)
    instance.save(made)
    return made


def test_what_cannot_be_noted_is_not_started_and_later_commands_go_on(
    disk: SmallDisk, known: Instance
) -> None:
    processes = Processes(known)
    with disk.filled():
        with pytest.raises((OSError, LaunchError)):
            processes.start(SLEEPS)

        assert processes.find("child") is None
        assert not processes.stop("child")
    processes.start(SLEEPS)
    pid = processes.pid("child")

    assert pid is not None
    assert processes.stop("child")
    until(lambda: not psutil.pid_exists(pid))  # ended, and seen to end by who waits for it
    assert processes.names() == []


def test_a_first_up_names_the_full_disk_and_leaves_nothing_in_the_way(disk: SmallDisk) -> None:
    if not disk.is_real:  # a fake does not reach into the command's own process
        return
    command = run_module("launcher.cli", "up", "--folder", str(disk.folder))
    with disk.filled():
        for _ in range(2):
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

            assert done.returncode == 1
            assert done.stderr.startswith(f"peakdesk: The disk that holds {disk.folder}")
            assert "is full" in done.stderr
            assert "Traceback" not in done.stderr


def test_a_download_that_finds_no_room_blames_the_disk_and_not_the_network(disk: SmallDisk) -> None:
    jar = Jar("org.example:thing:1.0", 1, "00")
    folder = disk.folder / "downloads"
    folder.mkdir()

    def download(_: Jar, work: Path) -> Path:
        try:
            says_full(0)
        except OSError:
            raise RuntimeError("download failed") from None
        return work

    with pytest.raises(LaunchError, match="is full"):
        jars.fetch([jar], folder, on_bytes=lambda _: None, download=download)
    assert space.complaint(folder) is not None or not disk.is_real
