"""Database addresses of an instance, the administrator's and each service's; connects nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from launcher.errors import LaunchError
from launcher.instance.instance import Instance
from launcher.postgres.roles import ADMIN, DATABASE_SERVICES, role_of

DATABASE: Final = "peakdesk"
YOURS: Final = "database_url"
"""The name under which your own server's address is kept, with the secrets."""


@dataclass(frozen=True)
class Server:
    """A database by its addresses: the administrator's for asyncpg, each service's for SQLAlchemy.

    `maintenance` reaches a server of our own before the database is there; None if it is yours.
    """

    administrator: str
    services: Mapping[str, str]
    maintenance: str | None = None

    def passwords(self) -> dict[str, str]:
        """Return the password of each service's role, as its address says."""
        return {
            role_of(service): unquote(urlsplit(address).password or "")
            for service, address in self.services.items()
        }


def server(known: Instance) -> Server:
    """Return the addresses of an instance's database."""
    return Server(
        administrator(known),
        {service: of_service(known, service) for service in DATABASE_SERVICES},
        administrator(known, "postgres") if known.own_database else None,
    )


def administrator(known: Instance, database: str = DATABASE) -> str:
    """Return the address with which roles and schemas are made, for asyncpg."""
    if not known.own_database:
        return known.secret(YOURS)
    password = known.secret("postgres_admin")
    return f"postgresql://{ADMIN}:{password}@127.0.0.1:{known.ports.postgres}/{database}"


def of_service(known: Instance, service: str) -> str:
    """Return the address that a service gets: its own role on the same server and database."""
    parts = urlsplit(administrator(known))
    place = parts.netloc.rpartition("@")[2]
    role = role_of(service)
    login = f"{role}:{quote(known.secret(role), safe='')}"
    return urlunsplit(
        ("postgresql+asyncpg", f"{login}@{place}", parts.path, parts.query, parts.fragment)
    )


def checked(url: str) -> str:
    """Return your `--database-url` in asyncpg's spelling. Raises LaunchError if it is no such."""
    parts = urlsplit(url)
    scheme = parts.scheme.partition("+")[0]
    if scheme not in {"postgres", "postgresql"} or not parts.hostname or parts.path in {"", "/"}:
        raise LaunchError(
            "--database-url needs the form postgresql://user:password@host:port/database."
        )
    return urlunsplit(("postgresql", *parts[1:]))
