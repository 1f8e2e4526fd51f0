"""The roles and schemas of a PeakDesk database: an owner and a run role per service.

The owner of a schema is nobody's login: migrations act as it. The run role reads and writes rows
and can alter no table, policy or trigger; no role sees another service's schema. Knows SQL and
names; must not know which server it runs on.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import asyncpg

DATABASE_SERVICES: Final = ("conversation", "orders", "aftersales", "monitor")
"""The services that have a schema; the gateway holds no database."""
ADMIN: Final = "peakdesk_admin"
"""The superuser of a cluster of our own; the services never see its password."""

_ROWS: Final = "SELECT, INSERT, UPDATE, DELETE"


def role_of(service: str) -> str:
    """Return the role that `service` connects as: it has the rows of its schema and no more."""
    return f"pd_{service}"


def owner_of(service: str) -> str:
    """Return the role that owns the schema of `service` and all in it."""
    return f"{role_of(service)}_owner"


def role_statements(passwords: Mapping[str, str]) -> list[str]:
    """Return the SQL that makes each run role, once per server. `passwords` is by role name."""
    return [
        f"CREATE ROLE {role} LOGIN NOINHERIT PASSWORD '{_quoted(password)}'"
        for role, password in passwords.items()
    ]


def owner_statements(services: Iterable[str] = DATABASE_SERVICES) -> list[str]:
    """Return the SQL that makes each owner, once per server."""
    return [f"CREATE ROLE {owner_of(service)} NOLOGIN" for service in services]


def schema_statements(database: str, *, administrator: str) -> list[str]:
    """Return the SQL that gives each service its schema, once per database.

    `administrator` is who runs migrations, spelled out: another may be who runs these statements.
    """
    statements = []
    for service in DATABASE_SERVICES:
        role, owner = role_of(service), owner_of(service)
        statements += [
            # Who makes a schema for a role must be able to act as that role; migrations do.
            f'GRANT {owner} TO "{administrator}"',
            f'GRANT CONNECT ON DATABASE "{database}" TO {role}',
            f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {owner}",
            *_rights(service),
            f'ALTER ROLE {role} IN DATABASE "{database}" SET search_path = {service}',
        ]
    return statements


def move_statements(services: Iterable[str], *, administrator: str) -> list[str]:
    """Return the SQL that gives a schema of the release before its owner.

    There the run role owned everything, so no policy held it back. Its owner must exist, and no
    process of that release may be connected: it would see no row any more.
    """
    statements = []
    for service in services:
        role, owner = role_of(service), owner_of(service)
        statements += [
            f'GRANT {role}, {owner} TO "{administrator}"',
            f"ALTER SCHEMA {service} OWNER TO {owner}",
            f"REASSIGN OWNED BY {role} TO {owner}",
            *_rights(service),
            f"GRANT {_ROWS} ON ALL TABLES IN SCHEMA {service} TO {role}",
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {service} TO {role}",
        ]
    return statements


def lock_statements(database: str) -> list[str]:
    """Return the SQL that keeps every other role out of a database of our own."""
    return [
        f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC',
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    ]


async def missing_statements(
    connection: asyncpg.Connection, passwords: Mapping[str, str]
) -> list[str]:
    """Return the SQL that makes those run roles and owners that the server lacks."""
    rows = await connection.fetch("SELECT rolname FROM pg_roles")
    known = {row["rolname"] for row in rows}
    absent = {role: word for role, word in passwords.items() if role not in known}
    unowned = [service for service in DATABASE_SERVICES if owner_of(service) not in known]
    return [*role_statements(absent), *owner_statements(unowned)]


def _rights(service: str) -> list[str]:
    """Return the SQL that lets the run role at the rows of what its owner makes from now on."""
    role = role_of(service)
    granted = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner_of(service)} IN SCHEMA {service} GRANT"
    return [
        f"GRANT USAGE ON SCHEMA {service} TO {role}",
        f"{granted} {_ROWS} ON TABLES TO {role}",
        f"{granted} USAGE ON SEQUENCES TO {role}",
    ]


def _quoted(text: str) -> str:
    return text.replace("'", "''")
