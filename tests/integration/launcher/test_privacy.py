"""Nobody else on the machine reads what an instance keeps, nor what its processes write later."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.instance import account, folders, instance
from launcher.instance.account import Account
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.instance.processes import Command, Processes

pytestmark = pytest.mark.integration

LOOKS = """
import os, sys
os.chdir(sys.argv[1])
FILES = ("instance.json", "secrets.json", "lock", "logs/child.log", "processes/child.json")
for look, names in ((os.listdir, (".", "logs", "processes")), (open, FILES)):
    for name in names:
        try:
            look(name)
            print("saw", name)
        except PermissionError:
            pass
"""
"""A stranger who knows every name."""
WRITES = """
import pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text("what a buyer said")
pathlib.Path(sys.argv[1] + ".folder").mkdir()
print("written", flush=True)
time.sleep(600)
"""


@pytest.fixture
def known(passable: Path) -> Iterator[Instance]:
    """An instance in a folder that everybody may enter, so that its own bits are what counts."""
    place = passable / "instance"
    folders.make_own(place, account.unprivileged())
    made = Instance(place, "default", Ports(7300), brokers=1, durable=True)
    with instance.locked(place):
        instance.save(made)
    made.secret("cursor")
    yield made
    Processes(made).stop("child")


def start(known: Instance) -> Path:
    """Start a process that writes a file of its own; return the file."""
    processes = Processes(known)
    written = known.folder.parent / "later"
    argv = [sys.executable, "-c", WRITES, str(written)]
    processes.start(Command("child", argv, {}, signal.SIGTERM, 10))
    processes.wait_ready(
        "child", lambda: "written" in processes.log("child").read_text(), timeout_s=20
    )
    return written


def look_as(who: Account | None, folder: Path) -> str:
    """Return what a stranger may list and read."""
    done = subprocess.run(
        ["/usr/bin/env", "python3", "-c", LOOKS, str(folder)],
        user=who.uid if who else None,
        group=who.gid if who else None,
        extra_groups=[] if who else None,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout


def test_what_a_process_writes_later_is_its_owners_alone(known: Instance) -> None:
    written = start(known)

    assert written.stat().st_mode & 0o777 == 0o600
    assert written.with_suffix(".folder").stat().st_mode & 0o777 == 0o700


def test_a_stranger_lists_and_reads_nothing(known: Instance) -> None:
    start(known)

    stranger = account.unprivileged()
    if os.geteuid() == 0 and stranger is not None:
        assert look_as(stranger, known.folder) == ""
        assert "saw secrets.json" in look_as(None, known.folder), "the looking itself works"
    places = [known.folder, *known.folder.rglob("*")]
    open_to_others = 0o011 if stranger else 0
    assert [place for place in places if place.stat().st_mode & 0o077 & ~open_to_others] == []
