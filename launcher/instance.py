"""One instance: its folder, its ports, its secrets and the lock that keeps two launchers apart.

Knows files only; must not know how Kafka, PostgreSQL or a service is started.
"""

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from launcher.errors import LaunchError
from launcher.ports import Ports

FORMAT: Final = 1
"""Raised when a launcher can no longer read what an older one left behind."""
LOCK_TIMEOUT_S: Final = 300
"""Longer than the longest start: a first one, with its downloads, on a slow line."""
_MARK: Final = "instance.json"
_SECRETS: Final = "secrets.json"


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
        path = self.folder / _SECRETS
        if not path.exists():
            return {}
        document: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return document

    def keep_secrets(self, known: Mapping[str, str]) -> None:
        """Write all secrets, never readable by others, not even for a moment."""
        _write(self.folder / _SECRETS, dict(known), mode=0o600)


def load(folder: Path) -> Instance | None:
    """Return the instance in `folder`, or None if the folder is empty or absent.

    Raises LaunchError for a folder that holds anything else: the launcher never touches it.
    """
    mark = folder / _MARK
    if not mark.exists():
        if folder.exists() and any(entry.name != "lock" for entry in folder.iterdir()):
            raise LaunchError(
                f"{folder} holds files that PeakDesk did not put there: "
                "name another folder with --folder."
            )
        return None
    document = json.loads(mark.read_text(encoding="utf-8"))
    if document["format"] != FORMAT:
        raise LaunchError(
            f"{folder} was written by another version of PeakDesk (format {document['format']}, "
            f"this one reads {FORMAT}): use that version, or name another folder with --folder."
        )
    del document["format"]
    return Instance(folder=folder, **document | {"ports": Ports(**document["ports"])})


def siblings(folder: Path) -> list[Instance]:
    """Return the other instances that are kept beside `folder`."""
    places = [mark.parent for mark in folder.parent.glob(f"*/{_MARK}") if mark.parent != folder]
    return [found for place in places if (found := load(place)) is not None]


def save(instance: Instance) -> None:
    """Keep the instance, so that the next `up` finds the same ports and data."""
    document: dict[str, Any] = asdict(instance) | {"format": FORMAT}
    del document["folder"]
    for folder in (instance.logs, instance.processes):
        folder.mkdir(exist_ok=True)
    _write(instance.folder / _MARK, document, mode=0o644)


@contextlib.contextmanager
def locked(folder: Path, *, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the folder for one launcher at a time. Raises LaunchError after `timeout_s`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        deadline = time.monotonic() + timeout_s
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise LaunchError(
                    f"Another peakdesk command has been at work in {folder} for {timeout_s:.0f} s: "
                    "end it, then run this one again."
                )
            time.sleep(0.1)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(path: Path, document: Mapping[str, Any], *, mode: int) -> None:
    """Replace `path` in one step: a reader sees the old file or the new one, never half of it."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
    draft.replace(path)
