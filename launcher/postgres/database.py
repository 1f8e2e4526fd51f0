"""Makes the database, the roles and the schemas, and brings each schema up to date.

Works on our own server and on yours; must not know how a server is started, nor import what only
a launcher needs: a container runs this too.
"""

import asyncio
from typing import Final
from urllib.parse import urlsplit

import asyncpg

from launcher.errors import LaunchError
from launcher.postgres import addresses, roles
from launcher.postgres.addresses import Server

CONNECT_TIMEOUT_S: Final = 10
MIGRATION_TIMEOUT_S: Final = 120
OLDEST_VERSION: Final = 15

_UNREACHABLE: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


def prepare(server: Server) -> str:
    """Make what is missing of database, roles and schemas; return what was done, in words."""
    return asyncio.run(_prepare(server))


def try_out(dsn: str) -> None:
    """Return if a database of yours lets us in. Raises LaunchError."""

    async def enter() -> None:
        connection = await _connect(dsn)
        await connection.close()

    asyncio.run(enter())


def migrate(server: Server) -> None:
    """Run each service's migrations under its own role. Raises LaunchError."""
    for service, address in server.services.items():
        try:
            asyncio.run(_migrate(address, service))
        except TimeoutError as error:
            raise LaunchError(
                f"The migrations of {service} did not end within {MIGRATION_TIMEOUT_S} s: "
                "stop what holds its tables (`./peakdesk down`), then run the command again."
            ) from error


async def _migrate(dsn: str, service: str) -> None:
    from kit import tables  # noqa: PLC0415 - SQLAlchemy and alembic cost every command 0.6 s

    async with asyncio.timeout(MIGRATION_TIMEOUT_S):
        await tables.upgrade(dsn, service)


async def _prepare(server: Server) -> str:
    if server.maintenance is not None:
        await _create_database(server.maintenance)
    passwords = server.passwords()
    connection = await _connect(server.administrator)
    try:
        database = await connection.fetchval("SELECT current_database()")
        if await _is_prepared(server, connection):
            return "schemas are there"
        await _require_rights(connection, database, passwords)
        async with connection.transaction():
            await roles.ensure_roles(connection, passwords)
            ours = server.maintenance is not None
            locks = roles.lock_statements(database) if ours else []
            for statement in [*roles.schema_statements(database), *locks]:
                await connection.execute(statement)
    finally:
        await connection.close()
    return f"{len(passwords)} roles and schemas made"


async def _create_database(dsn: str) -> None:
    connection = await _connect(dsn)
    try:
        query = "SELECT 1 FROM pg_database WHERE datname = $1"
        if not await connection.fetchval(query, addresses.DATABASE):
            await connection.execute(f"CREATE DATABASE {addresses.DATABASE}")
    finally:
        await connection.close()


async def _is_prepared(server: Server, connection: asyncpg.Connection) -> bool:
    """Return whether every service can log in and owns its schema."""
    owners = dict(
        await connection.fetch("SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace")
    )
    for service, address in server.services.items():
        if owners.get(service) != roles.role_of(service):
            return False
        login = await _connect(address.replace("+asyncpg", ""))
        await login.close()
    return True


async def _require_rights(
    connection: asyncpg.Connection, database: str, passwords: dict[str, str]
) -> None:
    version = connection.get_server_version().major
    if version < OLDEST_VERSION:
        raise LaunchError(
            f"This is PostgreSQL {version}; PeakDesk needs {OLDEST_VERSION} or later: "
            "name another server with --database-url."
        )
    may = await connection.fetchval(
        "SELECT (rolsuper OR rolcreaterole) AND has_database_privilege($1, 'CREATE')"
        " FROM pg_roles WHERE rolname = current_user",
        database,
    )
    if not may:
        statements = [*roles.role_statements(passwords), *roles.schema_statements(database)]
        raise LaunchError(
            "Your database user may not create roles or schemas. Let an administrator run this in "
            f"the database {database}, then run the command again:\n\n"
            + "".join(f"{statement};\n" for statement in statements)
        )


async def _connect(dsn: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    except _UNREACHABLE as error:
        parts = urlsplit(dsn)
        raise LaunchError(
            f"PostgreSQL at {parts.hostname}:{parts.port or 5432} does not let {parts.username} "
            f"into the database {parts.path.strip('/')} ({error or type(error).__name__}): "
            "check that it runs and that address and password are right."
        ) from error
