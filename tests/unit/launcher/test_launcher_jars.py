"""A jar is run only if it is the very file that the lock names."""

import hashlib
from pathlib import Path

import pytest

from launcher.errors import LaunchError
from launcher.kafka import jars
from launcher.kafka.jars import Jar, KafkaLock

pytestmark = pytest.mark.unit

CONTENT = b"a jar"
JAR = Jar("org.example:thing:1.0", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
LOCK = KafkaLock("1.0", (JAR,))


def arrives(content: bytes) -> jars.Download:
    def download(jar: Jar, work: Path) -> Path:
        path = work / jar.file_name
        path.write_bytes(content)
        return path

    return download


def test_a_right_download_lands_under_its_name(tmp_path: Path) -> None:
    sizes: list[int] = []

    jars.fetch([JAR], tmp_path, on_bytes=sizes.append, download=arrives(CONTENT))

    assert (tmp_path / "thing-1.0.jar").read_bytes() == CONTENT
    assert sizes == [JAR.size]
    assert jars.missing(LOCK, tmp_path) == []


def test_a_changed_download_is_thrown_away(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"thing-1\.0\.jar is not the file"):
        jars.fetch([JAR], tmp_path, on_bytes=lambda _: None, download=arrives(b"evil"))

    assert list(tmp_path.iterdir()) == []


def test_a_jar_changed_on_disk_stops_the_launch_and_stays(tmp_path: Path) -> None:
    (tmp_path / "thing-1.0.jar").write_bytes(b"evil")

    with pytest.raises(LaunchError, match="delete it"):
        jars.missing(LOCK, tmp_path)

    assert (tmp_path / "thing-1.0.jar").read_bytes() == b"evil"


def test_a_failed_download_says_which_and_what_to_do(tmp_path: Path) -> None:
    def fails(_: Jar, __: Path) -> Path:
        raise ConnectionError

    with pytest.raises(LaunchError, match=r"thing-1\.0\.jar could not be downloaded.*network"):
        jars.fetch([JAR], tmp_path, on_bytes=lambda _: None, download=fails)


def test_a_written_lock_reads_the_same(tmp_path: Path) -> None:
    jars.write_lock(LOCK, tmp_path / "lock")

    assert jars.read_lock(tmp_path / "lock") == LOCK


def test_the_shipped_lock_names_the_broker_and_a_hash_for_every_jar() -> None:
    lock = jars.read_lock()

    assert f"org.apache.kafka:kafka_2.13:{lock.version}" in {jar.coordinates for jar in lock.jars}
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in lock.jars)
