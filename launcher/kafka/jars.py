"""Fetches the jars of Apache Kafka and checks each against launcher/kafka/kafka.lock.

Knows Maven coordinates and sha256; must not know how a broker is configured or started.
"""

import hashlib
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import truststore

from launcher.errors import LaunchError
from launcher.instance import space

if TYPE_CHECKING:
    from jgo.maven import Artifact, MavenContext

LOCK_FILE: Final = Path(__file__).with_name("kafka.lock")
PARALLEL_DOWNLOADS: Final = 6
"""More brings nothing: eight small jars, four large ones and one connection to the mirror."""
DOWNLOAD_TIMEOUT_S: Final = 60

# The broker writes its log through slf4j; its own dependency list leaves the binding out.
LOG_BINDING: Final = ("org.apache.logging.log4j", "log4j-slf4j-impl")


@dataclass(frozen=True)
class Jar:
    """One locked file: Maven coordinates `group:artifact:version`, size in bytes, sha256 in hex."""

    coordinates: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        _, artifact, version = self.coordinates.split(":")
        return f"{artifact}-{version}.jar"


Download = Callable[[Jar, Path], Path]
"""Brings one jar into a folder and returns its path; raises OSError or RuntimeError."""


@dataclass(frozen=True)
class KafkaLock:
    """The Kafka version and every jar that its broker needs."""

    version: str
    jars: tuple[Jar, ...]


def read_lock(path: Path = LOCK_FILE) -> KafkaLock:
    """Return the lock that travels with the source."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return KafkaLock(document["kafka"], tuple(Jar(**jar) for jar in document["jar"]))


def missing(lock: KafkaLock, folder: Path) -> list[Jar]:
    """Return the jars that `folder` lacks.

    Raises LaunchError if a file is there with another content: it is never run nor overwritten.
    """
    absent = []
    for jar in lock.jars:
        path = folder / jar.file_name
        if not path.exists():
            absent.append(jar)
        elif _sha256(path) != jar.sha256:
            raise LaunchError(
                f"{path} is not the file that launcher/kafka/kafka.lock names (sha256 differs): "
                "delete it and run the command again to fetch it anew."
            )
    return absent


def from_maven(jar: Jar, work: Path) -> Path:
    """Download one jar below `work` and return where it lies. Raises OSError or RuntimeError."""
    group, artifact, version = jar.coordinates.split(":")
    return _context(work).project(group, artifact).at_version(version).artifact().resolve()


def fetch(
    jars: Sequence[Jar],
    folder: Path,
    *,
    on_bytes: Callable[[int], None],
    download: Download = from_maven,
) -> None:
    """Download `jars` into `folder`; a file appears there only once its sha256 is right.

    `on_bytes` is told the size of each jar that has arrived. Raises LaunchError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:

        def one(jar: Jar) -> Jar:
            return _fetch_one(jar, folder, lambda: download(jar, Path(work)))

        with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            for jar in pool.map(one, jars):
                on_bytes(jar.size)


def resolve(version: str) -> KafkaLock:
    """Ask Maven what the broker of `version` needs and hash all of it: how the lock is made."""
    with tempfile.TemporaryDirectory() as work:
        context = _context(Path(work))
        from jgo.maven import Model  # noqa: PLC0415 - as in _context

        root = context.project("org.apache.kafka", "kafka_2.13").at_version(version)
        dependencies, _ = Model(root.pom(), context).dependencies()
        wanted = {"compile", "runtime"}
        artifacts = [root.artifact()]
        artifacts += [d.artifact for d in dependencies if d.scope in wanted and not d.optional]
        log4j = next(a for a in artifacts if a.artifactId == "log4j-core")
        artifacts.append(context.project(*LOG_BINDING).at_version(log4j.version).artifact())
        jars = tuple(sorted(map(_locked, artifacts), key=lambda jar: jar.coordinates))
    return KafkaLock(version, jars)


def write_lock(lock: KafkaLock, path: Path = LOCK_FILE) -> None:
    """Write `lock` so that a diff of two versions reads line by line."""
    lines = [
        "# Every jar of the local Kafka broker; written by `just relock-kafka VERSION`.",
        f'kafka = "{lock.version}"',
    ]
    for jar in lock.jars:
        lines += [
            "",
            "[[jar]]",
            f'coordinates = "{jar.coordinates}"',
            f"size = {jar.size}",
            f'sha256 = "{jar.sha256}"',
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _context(cache: Path) -> "MavenContext":
    # Before requests is imported, which keeps the trust it finds then.
    truststore.inject_into_ssl()
    from jgo.maven import (  # noqa: PLC0415 - costs 0.3 s, needed for a download alone
        MavenContext,
        PythonResolver,
    )

    return MavenContext(
        resolver=PythonResolver(), repo_cache=cache, local_repos=[], timeout=DOWNLOAD_TIMEOUT_S
    )


def _fetch_one(jar: Jar, folder: Path, download: Callable[[], Path]) -> Jar:
    try:
        path = download()
    except (OSError, RuntimeError) as error:
        if space.is_full(error) or space.complaint(folder):
            raise LaunchError(f"{jar.file_name}: {space.sentence(folder)}") from error
        raise LaunchError(
            f"{jar.file_name} could not be downloaded ({type(error).__name__}): check the network "
            "and run the command again; what has arrived is kept."
        ) from error
    if _sha256(path) != jar.sha256:
        raise LaunchError(
            f"The downloaded {jar.file_name} is not the file that launcher/kafka/kafka.lock names "
            "(sha256 differs) and was thrown away: try again, and if it stays so, trust nobody "
            "between you and the repository."
        )
    arrived = folder / f".{jar.file_name}"
    shutil.move(path, arrived)
    arrived.replace(folder / jar.file_name)
    return jar


def _locked(artifact: "Artifact") -> Jar:
    path = artifact.resolve()
    coordinates = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
    return Jar(coordinates, path.stat().st_size, _sha256(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
