"""Rows 62 and 68: what must not start, and files that are not what was locked."""

import base64
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kit.web.tokens import generate_keypair
from launcher import services
from launcher.errors import LaunchError
from launcher.kafka import jars
from launcher.kafka.jars import Jar, KafkaLock

pytestmark = pytest.mark.integration

CHECKOUT = Path(__file__).resolve().parents[2]
START_S = 180
"""No pace: who does not refuse to start stays for ever."""

Variables = dict[str, str]


def started(service: str, variables: Variables) -> subprocess.CompletedProcess[str]:
    """Start a service as production would, with these variables alone."""
    return subprocess.run(
        [sys.executable, "-m", f"services.{service}.app"],
        cwd=CHECKOUT,
        env={"LANG": "C.UTF-8", "PATH": os.environ["PATH"], **variables},
        check=False,
        timeout=START_S,
        capture_output=True,
        text=True,
    )


def good() -> Variables:
    """Return what a gateway in production is told."""
    keys, own = generate_keypair(), generate_keypair()
    return {
        "PEAKDESK_ENVIRONMENT": "production",
        "PEAKDESK_TOKEN_PUBLIC_KEY": keys.public,
        "PEAKDESK_SERVICE_PUBLIC_KEY": own.public,
        "PEAKDESK_SERVICE_PRIVATE_KEY": own.private.get_secret_value(),
        "PEAKDESK_CURSOR_SECRET": base64.b64encode(os.urandom(32)).decode(),
        "PEAKDESK_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "PEAKDESK_ALLOW_PLAINTEXT_BROKER": "true",
    }


def test_attack_62_no_service_starts_in_production_as_it_was_shipped() -> None:
    names = [service.name for service in services.SERVICES]
    bare = {"PEAKDESK_ENVIRONMENT": "production", "PEAKDESK_ALLOW_PLAINTEXT_BROKER": "true"}
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda name: started(name, bare), names))
    for name, done in zip(names, results, strict=True):
        assert done.returncode not in {0, -9, -15}, name
        said = done.stdout + done.stderr
        assert "Traceback" not in said
        assert "PEAKDESK_" in said, name
        assert "CURSOR_SECRET" in said


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"PEAKDESK_AUTH": "trust"}, "PEAKDESK_AUTH"),
        ({"PEAKDESK_ALLOWED_ORIGINS": "*"}, "PEAKDESK_ALLOWED_ORIGINS"),
        ({"PEAKDESK_CURSOR_SECRET": "short"}, "PEAKDESK_CURSOR_SECRET"),
        ({"PEAKDESK_ALLOW_PLAINTEXT_BROKER": "false"}, "PEAKDESK_KAFKA_SECURITY"),
    ],
    ids=["no check at all", "any origin", "a guessable secret", "a broker in the clear"],
)
def test_attack_62_a_gateway_that_is_told_to_be_open_refuses(change: Variables, named: str) -> None:
    done = started("gateway", good() | change)
    assert done.returncode not in {0, -9, -15}
    assert named in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_attack_62_the_launcher_knows_no_way_without_passwords() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "launcher.cli", "up", "--auth=trust"],
        cwd=CHECKOUT,
        check=False,
        timeout=START_S,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "auth" in done.stdout + done.stderr


def test_attack_68_a_changed_jar_stops_the_launch(tmp_path: Path) -> None:
    lock = jars.read_lock()
    jar = Jar(lock.jars[0].coordinates, lock.jars[0].size, lock.jars[0].sha256)
    (tmp_path / jar.file_name).write_bytes(b"x" * jar.size)
    with pytest.raises(LaunchError, match="delete it"):
        jars.missing(KafkaLock(lock.version, (jar,)), tmp_path)


def test_attack_68_every_package_is_locked_by_its_hash() -> None:
    locked = (CHECKOUT / "uv.lock").read_text(encoding="utf-8")
    files = [line for line in locked.splitlines() if "url = " in line and ".whl" in line]
    assert files
    assert all('hash = "sha256:' in line for line in files)
    pinned = (CHECKOUT / "launcher" / "uv.txt").read_text(encoding="utf-8")
    assert "--hash=sha256:" in pinned
    door = (CHECKOUT / "peakdesk").read_text(encoding="utf-8")
    assert "--require-hashes" in door
    assert "--frozen" in door
