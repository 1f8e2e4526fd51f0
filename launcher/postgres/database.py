"""Makes the database, the roles and the schemas, and brings each schema up to date.

Works on our own server and on yours; must not know how a server is started, nor import what only
a launcher needs: a container runs this too.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import asyncpg

from launcher.errors import LaunchError
from launcher.postgres import addresses, roles
from launcher.postgres.addresses import Server

CONNECT_TIMEOUT_S: Final = 10
LOOK_TIMEOUT_S: Final = 2
"""For somebody who only wants to know how things are."""
LEAVING_S: Final = 3
LOOKS_PER_S: Final = 10
"""The server notices a moment later that somebody has left."""
MIGRATION_TIMEOUT_S: Final = 120
MOVE_WAIT: Final = "2s"
"""Whoever uses a table that gets another owner waits behind that; the command gives up first."""
OLDEST_VERSION: Final = 15

UNSECURED: Final = (
    "Row-level security does not hold yet, for the services own their tables, as they did in the "
    "release before."
)

_MAY: Final = (
    "SELECT pg_has_role($1::name, 'MEMBER') AND has_schema_privilege($2::name, $3::text, 'USAGE')"
)
_BEFORE: Final = """
    SELECT DISTINCT usename FROM pg_stat_activity
    WHERE datname = current_database() AND usename = ANY($1)
        AND coalesce(application_name, '') NOT LIKE 'peakdesk/%' ORDER BY 1
"""
_UNREACHABLE: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


def prepare(server: Server, *, moves: bool = True) -> str:
    """Make what is missing of database, roles and schemas; return what was done, in words.

    In the release before, services owned their tables; unless `moves`, that is left to the
    server's administrator, who runs what `due` says.
    """
    return asyncio.run(_prepare(server, moves=moves))


def due(server: Server) -> list[str]:
    """Return the SQL that an administrator has to run before policies hold the services back."""
    return asyncio.run(_due(server))


def is_secured(server: Server) -> bool | None:
    """Tell whether no service owns its tables, so that policies hold; None: nobody answers."""

    async def look() -> bool:
        connection = await _connect(server.administrator, timeout_s=LOOK_TIMEOUT_S)
        try:
            return not await _unmoved(connection)
        finally:
            await connection.close()

    try:
        return asyncio.run(look())
    except LaunchError:
        return None


def try_out(dsn: str) -> None:
    """Return if a database of yours lets us in. Raises LaunchError."""

    async def enter() -> None:
        connection = await _connect(dsn)
        await connection.close()

    asyncio.run(enter())


def migrate(server: Server) -> None:
    """Run each service's migrations as the owner of its schema. Raises LaunchError."""
    owners = asyncio.run(_owners(server))
    for service, address in server.services.items():
        owner = roles.owner_of(service)
        owned = owners.get(service) == owner
        dsn = server.administrator if owned else address
        try:
            asyncio.run(_migrate(dsn, service, owner if owned else None))
        except TimeoutError as error:
            raise LaunchError(
                f"The migrations of {service} did not end within {MIGRATION_TIMEOUT_S} s: "
                "stop what holds its tables (`./peakdesk down`), then run the command again."
            ) from error


async def _migrate(dsn: str, service: str, role: str | None) -> None:
    from kit import table_locks, tables  # noqa: PLC0415 - alembic costs every command 0.6 s

    try:
        async with asyncio.timeout(MIGRATION_TIMEOUT_S):
            await tables.upgrade(dsn, service, role=role)
    except table_locks.TablesInUse as used:
        raise LaunchError(
            f"The migrations of {service} stopped, for {used}: let that end (it may be a dump), or "
            "end it, then run the command again. What is done stays, and nobody is held up."
        ) from used


async def _prepare(server: Server, *, moves: bool) -> str:
    if server.maintenance is not None:
        await _create_database(server.maintenance)
    connection = await _connect(server.administrator)
    try:
        unmoved = await _unmoved(connection)
        if await _is_prepared(server, connection, unmoved=() if moves else unmoved):
            return "schemas are there"
        moved = unmoved if moves else ()
        statements = await _statements(connection, server, moved)
        await _require_rights(connection, statements)
        await _require_nobody_of_the_release_before(connection, moved)
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{MOVE_WAIT}'")
                for statement in statements:
                    await connection.execute(statement)
        except asyncpg.InsufficientPrivilegeError:
            raise await _refusal(connection, statements) from None
        except asyncpg.LockNotAvailableError:
            raise LaunchError(
                "Somebody uses tables that get other owners, a dump for instance: let that end, or "
                "end it, then run the command again. Nothing was changed."
            ) from None
    finally:
        await connection.close()
    made = f"{len(server.services)} roles and schemas made"
    return f"{len(moved)} schemas given owners of their own" if moved else made


async def _statements(
    connection: asyncpg.Connection, server: Server, moved: Sequence[str]
) -> list[str]:
    """Return all SQL that is missing; what is there already does no harm."""
    database, user = await connection.fetchrow("SELECT current_database(), current_user")
    return [
        *await roles.missing_statements(connection, server.passwords()),
        *roles.move_statements(moved, administrator=user),
        *roles.schema_statements(database, administrator=user),
        *(roles.lock_statements(database) if server.maintenance is not None else ()),
    ]


async def _due(server: Server) -> list[str]:
    connection = await _connect(server.administrator)
    try:
        unmoved = await _unmoved(connection)
        return await _statements(connection, server, unmoved) if unmoved else []
    finally:
        await connection.close()


async def _create_database(dsn: str) -> None:
    connection = await _connect(dsn)
    try:
        query = "SELECT 1 FROM pg_database WHERE datname = $1"
        if not await connection.fetchval(query, addresses.DATABASE):
            await connection.execute(f"CREATE DATABASE {addresses.DATABASE}")
    finally:
        await connection.close()


async def _owners(server: Server) -> Mapping[str, str]:
    connection = await _connect(server.administrator)
    try:
        return await _owners_seen(connection)
    finally:
        await connection.close()


async def _owners_seen(connection: asyncpg.Connection) -> dict[str, str]:
    """Return who owns each schema."""
    query = "SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace"
    return dict(await connection.fetch(query))


async def _unmoved(connection: asyncpg.Connection) -> tuple[str, ...]:
    """Return the services that own their schema, as they did in the release before."""
    owners = await _owners_seen(connection)
    return tuple(
        service
        for service in roles.DATABASE_SERVICES
        if owners.get(service) == roles.role_of(service)
    )


async def _is_prepared(
    server: Server, connection: asyncpg.Connection, *, unmoved: Sequence[str]
) -> bool:
    """Return whether every service can log in, and we can act as the owner of its schema.

    The services `unmoved` may own theirs.
    """
    owners = await _owners_seen(connection)
    for service, address in server.services.items():
        owner = roles.owner_of(service)
        if service not in unmoved:
            if owners.get(service) != owner:
                return False
            if not await connection.fetchval(_MAY, owner, roles.role_of(service), service):
                return False
        login = await _connect(address.replace("+asyncpg", ""))
        await login.close()
    return True


async def _require_rights(connection: asyncpg.Connection, statements: Sequence[str]) -> None:
    version = connection.get_server_version().major
    if version < OLDEST_VERSION:
        raise LaunchError(
            f"This is PostgreSQL {version}; PeakDesk needs {OLDEST_VERSION} or later: "
            "name another server with --database-url."
        )
    may = await connection.fetchval(
        "SELECT (rolsuper OR rolcreaterole)"
        " AND has_database_privilege(current_database(), 'CREATE')"
        " FROM pg_roles WHERE rolname = current_user"
    )
    if not may:
        raise await _refusal(connection, statements)


async def _refusal(connection: asyncpg.Connection, statements: Sequence[str]) -> LaunchError:
    database = await connection.fetchval("SELECT current_database()")
    return LaunchError(
        "Your database user may not create roles or schemas, or give them an owner. Let an "
        f"administrator run this in the database {database}, then run the command again:\n\n"
        + "".join(f"{statement};\n" for statement in statements)
    )


async def _require_nobody_of_the_release_before(
    connection: asyncpg.Connection, moved: Sequence[str]
) -> None:
    """Raise LaunchError while a service is connected whose tables get another owner.

    It would see no row any more, and believe it. Today's names its shop, and may be connected.
    """
    asked = [roles.role_of(service) for service in moved]
    left = LEAVING_S * LOOKS_PER_S
    while rows := await connection.fetch(_BEFORE, asked):
        if (left := left - 1) < 0:
            names = ", ".join(row["usename"] for row in rows)
            raise LaunchError(
                f"Services of the release before are connected ({names}), and the tables get other "
                "owners: stop every service, then run the command again."
            )
        await asyncio.sleep(1 / LOOKS_PER_S)


async def _connect(dsn: str, *, timeout_s: float = CONNECT_TIMEOUT_S) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(dsn, timeout=timeout_s)
    except _UNREACHABLE as error:
        parts = urlsplit(dsn)
        raise LaunchError(
            f"PostgreSQL at {parts.hostname}:{parts.port or 5432} does not let {parts.username} "
            f"into the database {parts.path.strip('/')} ({error or type(error).__name__}): "
            "check that it runs and that address and password are right."
        ) from error
