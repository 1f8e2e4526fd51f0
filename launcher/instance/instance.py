"""One instance: its folder, its ports, its secrets and the lock that keeps two launchers apart.

Knows files only; must not know how Kafka, PostgreSQL or a service is started.
"""

import contextlib
import fcntl
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from launcher.errors import LaunchError
from launcher.instance import files
from launcher.instance.files import Damaged
from launcher.instance.ports import Ports

FORMAT: Final = 1
"""Raised when a launcher can no longer read what an older one left behind."""
LOCK_TIMEOUT_S: Final = 300
"""Longer than the longest start: a first one, with its downloads, on a slow line."""
_MARK: Final = "instance.json"
_SECRETS: Final = "secrets.json"
_LOCK: Final = "lock"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Instance:
    """What `up` decided once and keeps for the instance's life.

    `durable` is off for test data alone, where a power cut costs nothing and fsync half the time.
    `kafka` names your own cluster, None ours; `own_database` is off when the server is yours.
    """

    folder: Path
    name: str
    ports: Ports
    brokers: int
    durable: bool
    kafka: str | None = None
    own_database: bool = True

    @property
    def kafka_folder(self) -> Path:
        return self.folder / "kafka"

    @property
    def postgres_folder(self) -> Path:
        return self.folder / "postgres"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def processes(self) -> Path:
        return self.folder / "processes"

    @property
    def bootstrap_servers(self) -> str:
        if self.kafka is not None:
            return self.kafka
        return ",".join(f"127.0.0.1:{self.ports.kafka(n)}" for n in range(self.brokers))

    def secret(self, name: str) -> str:
        """Return this instance's secret of that name, made at first use, readable by its owner."""
        known = self.secrets()
        if name not in known:
            known[name] = secrets.token_urlsafe(32)
            self.keep_secrets(known)
        return known[name]

    def secrets(self) -> dict[str, str]:
        """Return every secret by name."""
        cure = f"put a copy back, for the database knows its passwords, or remove {self.folder}"
        return files.read_document(self.folder / _SECRETS, cure=cure) or {}

    def keep_secrets(self, known: Mapping[str, str]) -> None:
        """Write all secrets, never readable by others, not even for a moment."""
        files.write_document(self.folder / _SECRETS, known)


def check_name(name: str) -> None:
    """Raise LaunchError for what is no name of an instance: it becomes a folder's, and an id's."""
    if not _NAME.fullmatch(name):
        raise LaunchError(
            f"{name!r} is no name for an instance: take lower-case letters, digits and dashes, "
            "31 at most, with a letter or a digit first."
        )


class Busy(LaunchError):
    """Another launcher is at work in the instance."""


def load(folder: Path) -> Instance | None:
    """Return the instance in `folder`, or None if the folder is empty or absent.

    Raises LaunchError for a folder that holds anything else: the launcher never touches it.
    """
    cure = "put a copy back, or remove its folder with all data"
    document = files.read_document(folder / _MARK, cure=cure)
    if document is None:
        if folder.exists() and not all(map(_is_beginning, folder.iterdir())):
            raise LaunchError(
                f"{folder} holds files that PeakDesk did not put there: "
                "name another folder with --folder."
            )
        return None
    version = document.pop("format", None)
    if version not in (None, FORMAT):
        raise LaunchError(
            f"{folder} was written by another version of PeakDesk (format {version}, "
            f"this one reads {FORMAT}): use that version, or name another folder with --folder."
        )
    try:
        return Instance(folder=folder, **document | {"ports": Ports(**document["ports"])})
    except (KeyError, TypeError) as error:
        raise Damaged(folder / _MARK, cure) from error


def siblings(folder: Path) -> list[Instance]:
    """Return the other instances that are kept beside `folder`, but for those it cannot read."""
    found = []
    for place in (mark.parent for mark in folder.parent.glob(f"*/{_MARK}")):
        with contextlib.suppress(LaunchError):
            if place != folder and (other := load(place)) is not None:
                found.append(other)
    return found


def save(instance: Instance) -> None:
    """Keep the instance, so that the next `up` finds the same ports and data."""
    document: dict[str, Any] = asdict(instance) | {"format": FORMAT}
    del document["folder"]
    # First: without it the next `up` would not know the other folders for ours.
    files.write_document(instance.folder / _MARK, document)
    make_folders(instance)


def make_folders(instance: Instance) -> None:
    """Make what is absent; what an older launcher left open to others is closed, files included."""
    for folder in (instance.logs, instance.processes):
        files.make_folder(folder)
    if instance.kafka_folder.exists():
        files.make_folder(instance.kafka_folder)
    for name in (_MARK, _SECRETS, _LOCK):
        path = instance.folder / name
        if path.exists():
            path.chmod(files.FILE)


@contextlib.contextmanager
def locked(
    folder: Path,
    *,
    name: str = _LOCK,
    timeout_s: float = LOCK_TIMEOUT_S,
    on_wait: Callable[[str], None] = lambda _: None,
) -> Iterator[None]:
    """Hold the folder for one launcher at a time. Raises Busy after `timeout_s`.

    `on_wait` is told once that there is something to wait for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("a") as file:
        deadline = time.monotonic() + timeout_s
        waiting = False
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise Busy(
                    f"Another peakdesk command has been at work in {folder} for {timeout_s:.0f} s: "
                    "end it, then run this one again."
                )
            if not waiting:
                on_wait(f"Another peakdesk command is at work in {folder}: waiting for its end.")
            waiting = True
            time.sleep(0.1)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_beginning(entry: Path) -> bool:
    """Return whether a launcher that was ended in its first moment leaves such a file behind."""
    return entry.name == _LOCK or entry.name.startswith(f".{_MARK}.")
