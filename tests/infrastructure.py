"""The real Kafka and PostgreSQL that tests run on, and each session's clean part of them.

One instance per checkout, `test`, is started by the first session that needs it, shared by later
and concurrent ones, and stopped by `./peakdesk down --instance test`. Its fsync is off: a power
cut costs a test run nothing. A session is alone by a fresh database and a random topic prefix.
"""

import asyncio
import re
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from kit import row_security, tables
from launcher import infrastructure
from launcher.instance import instance
from launcher.postgres import addresses, roles

CHECKOUT: Final = Path(__file__).resolve().parent.parent
START_TIMEOUT_S: Final = 400
ADMIN_TIMEOUT_S: Final = 30
NAME: Final = "test"
UP: Final = ("up", "--infrastructure-only", "--test-data", "--no-keeper")
OWNER: Final = "pd_test"
"""Owns each session's database without being a superuser, so that tests meet real permissions."""
LEFT_BEHIND_AFTER: Final = timedelta(hours=6)
"""A session that was killed cannot drop its database; a later one does, after this time."""
_ROLES_LOCK: Final = 711


@dataclass(frozen=True)
class Infrastructure:
    """Where the shared Kafka and PostgreSQL answer; `admin_dsn` is the superuser's, for asyncpg."""

    bootstrap_servers: str
    admin_dsn: str
    passwords: Mapping[str, str]
    """By role: each `pd_<service>`, and `pd_test`, the owner of every test database."""


@dataclass(frozen=True)
class TestDatabase:
    """A fresh database with an owner, a run role and an empty schema per service."""

    __test__ = False

    name: str
    address: str
    administrator: str
    """The superuser's address, for asyncpg."""
    passwords: Mapping[str, str]

    def dsn(self, role: str) -> str:
        """Return the SQLAlchemy address for `role`: a service's name, or `pd_test`, the owner."""
        user = role if role in self.passwords else roles.role_of(role)
        return f"postgresql+asyncpg://{user}:{self.passwords[user]}@{self.address}/{self.name}"

    def plain_dsn(self, role: str) -> str:
        """Return the same address for asyncpg itself."""
        return self.dsn(role).replace("+asyncpg", "")

    async def migrate(self, service: str, *, revision: str = "head") -> None:
        """Bring a service's schema up to a revision, as its owner."""
        owner = roles.owner_of(service)
        await tables.upgrade(self.administrator, service, role=owner, revision=revision)

    async def alter(self, service: str, *statements: str) -> None:
        """Run statements as the owner of a service's schema."""
        await _execute(self.administrator, f"SET ROLE {roles.owner_of(service)}", *statements)

    @asynccontextmanager
    async def connected(self, service: str, *, shop: str = "") -> AsyncIterator[asyncpg.Connection]:
        """Log in as a service's run role, which sees the rows of a shop: none, or `*` for all."""
        settings = {row_security.SETTING: shop, "search_path": service}
        dsn = self.plain_dsn(service)
        connection = await asyncpg.connect(dsn, timeout=ADMIN_TIMEOUT_S, server_settings=settings)
        try:
            yield connection
        finally:
            await connection.close()


def running(name: str = NAME) -> Infrastructure:
    """Return the test instance, started if it does not run. Safe to call from many sessions."""
    wanted = infrastructure.Wanted(name)
    folder = infrastructure.folder_of(wanted)
    if not _runs(folder):
        subprocess.run(
            [sys.executable, "-m", "launcher.cli", *UP, "--instance", name],
            cwd=CHECKOUT,
            check=True,
            timeout=START_TIMEOUT_S,
            stdout=subprocess.DEVNULL,
        )
    with instance.locked(folder):
        known = infrastructure.open_instance(wanted, folder)
        users = [*map(roles.role_of, roles.DATABASE_SERVICES), OWNER]
        passwords = {user: known.secret(user) for user in users}
    admin_dsn = addresses.administrator(known, "postgres")
    found = Infrastructure(known.bootstrap_servers, admin_dsn, passwords)
    asyncio.run(_prepare_server(found))
    return found


def _runs(folder: Path) -> bool:
    """Tell whether it is up, and not on its way: whoever starts it holds its folder meanwhile."""
    with instance.locked(folder):
        known = instance.load(folder)
        return known is not None and infrastructure.runs(known)


async def create_database(found: Infrastructure) -> TestDatabase:
    """Create a session's database with a schema per service."""
    name = f"test_{datetime.now(UTC):%Y%m%d%H%M}_{secrets.token_hex(4)}"
    await _execute(found.admin_dsn, f"CREATE DATABASE {name} OWNER {OWNER}")
    address = found.admin_dsn.rsplit("@", 1)[1].split("/")[0]
    administrator = f"{found.admin_dsn.rsplit('/', 1)[0]}/{name}"
    schemas = roles.schema_statements(name, administrator=roles.ADMIN)
    await _execute(administrator, *schemas, *roles.lock_statements(name))
    return TestDatabase(name, address, administrator, found.passwords)


async def drop_database(found: Infrastructure, name: str) -> None:
    """Drop a session's database, ending what is still connected to it."""
    await _execute(found.admin_dsn, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def delete_topics(found: Infrastructure, prefix: str) -> None:
    """Delete every topic whose name starts with `prefix`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=found.bootstrap_servers)
    async with asyncio.timeout(ADMIN_TIMEOUT_S):
        await admin.start()
        try:
            ours = [name for name in await admin.list_topics() if name.startswith(prefix)]
            if ours:
                await admin.delete_topics(ours)
        finally:
            await admin.close()


async def _prepare_server(found: Infrastructure) -> None:
    connection = await asyncpg.connect(found.admin_dsn, timeout=ADMIN_TIMEOUT_S)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _ROLES_LOCK)
            for statement in await roles.missing_statements(connection, found.passwords):
                await connection.execute(statement)
        for row in await connection.fetch("SELECT datname FROM pg_database"):
            if _left_behind(row["datname"], datetime.now(UTC)):
                await connection.execute(f"DROP DATABASE IF EXISTS {row['datname']} WITH (FORCE)")
    finally:
        await connection.close()


def _left_behind(name: str, now: datetime) -> bool:
    match = re.fullmatch(r"test_(\d{12})_[0-9a-f]{8}", name)
    if match is None:
        return False
    made = datetime.strptime(match.group(1), "%Y%m%d%H%M").replace(tzinfo=UTC)
    return now - made > LEFT_BEHIND_AFTER


async def _execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=ADMIN_TIMEOUT_S)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
