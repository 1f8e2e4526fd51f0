"""The roles and schemas of a PeakDesk database: one of each per service, none sees another's.

Knows SQL and names; must not know which server it runs on.
"""

from collections.abc import Mapping
from typing import Final

import asyncpg

DATABASE_SERVICES: Final = ("conversation", "orders", "aftersales", "monitor")
"""The services that have a schema; the gateway holds no database."""
ADMIN: Final = "peakdesk_admin"
"""The superuser of a cluster of our own; the services never see its password."""


def role_of(service: str) -> str:
    """Return the role that owns the schema of `service` and nothing else."""
    return f"pd_{service}"


def role_statements(passwords: Mapping[str, str]) -> list[str]:
    """Return the SQL that makes each role, once per server. `passwords` is by role name."""
    return [
        f"CREATE ROLE {role} LOGIN NOINHERIT PASSWORD '{_quoted(password)}'"
        for role, password in passwords.items()
    ]


def schema_statements(database: str) -> list[str]:
    """Return the SQL that gives each service its schema, once per database."""
    statements = []
    for service in DATABASE_SERVICES:
        role = role_of(service)
        statements += [
            # Who makes a schema for a role must be able to act as that role.
            f"GRANT {role} TO CURRENT_USER",
            f'GRANT CONNECT ON DATABASE "{database}" TO {role}',
            f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {role}",
            f'ALTER ROLE {role} IN DATABASE "{database}" SET search_path = {service}',
        ]
    return statements


def lock_statements(database: str) -> list[str]:
    """Return the SQL that keeps every other role out of a database of our own."""
    return [
        f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC',
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    ]


async def ensure_roles(connection: asyncpg.Connection, passwords: Mapping[str, str]) -> bool:
    """Make the roles that the server lacks; return whether any was made."""
    rows = await connection.fetch("SELECT rolname FROM pg_roles")
    known = {row["rolname"] for row in rows}
    absent = {role: word for role, word in passwords.items() if role not in known}
    for statement in role_statements(absent):
        await connection.execute(statement)
    return bool(absent)


def _quoted(text: str) -> str:
    return text.replace("'", "''")
