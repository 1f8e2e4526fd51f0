"""A database server of your own: what PeakDesk makes there, and what it asks others to make."""

import asyncio
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from launcher.errors import LaunchError
from launcher.instance import instance
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.interpreter import run_module
from launcher.postgres import addresses, database, roles
from tests.infrastructure import Infrastructure, create_database, drop_database

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Yours:
    """An instance that was given a database and a login of somebody else's server."""

    known: Instance
    login: str
    admin_dsn: str


@pytest.fixture
def yours(infra: Infrastructure, tmp_path: Path) -> Iterator[Yours]:
    """A database whose login may create nothing, and where no role of PeakDesk is known."""
    fresh = asyncio.run(create_database(infra))
    login = f"you_{secrets.token_hex(4)}"
    admin = f"{infra.admin_dsn.rsplit('/', 1)[0]}/{fresh.name}"
    asyncio.run(execute(admin, f"CREATE ROLE {login} LOGIN PASSWORD 'yours'"))
    asyncio.run(execute(admin, f'GRANT CONNECT ON DATABASE "{fresh.name}" TO {login}'))
    owners = ", ".join(map(roles.owner_of, roles.DATABASE_SERVICES))
    asyncio.run(execute(admin, f"GRANT {owners} TO {login}"))
    known = Instance(tmp_path, "yours", Ports(7300), brokers=1, durable=True, own_database=False)
    instance.save(known)
    known.keep_secrets(
        {addresses.YOURS: f"postgresql://{login}:yours@{fresh.address}/{fresh.name}"}
        | dict(fresh.passwords)
    )
    yield Yours(known, login, admin)
    asyncio.run(drop_database(infra, fresh.name))
    asyncio.run(execute(infra.admin_dsn, f"REVOKE {owners} FROM {login}"))
    asyncio.run(execute(infra.admin_dsn, f"DROP ROLE {login}"))


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def test_prepared_schemas_are_used_as_they_are(yours: Yours) -> None:
    assert database.prepare(addresses.server(yours.known)) == "schemas are there"


def test_without_the_right_to_create_the_sql_is_shown(yours: Yours) -> None:
    asyncio.run(execute(yours.admin_dsn, "DROP SCHEMA orders"))

    with pytest.raises(LaunchError, match="Let an administrator run this") as refused:
        database.prepare(addresses.server(yours.known))

    statements = refused.value.sentence.split("\n\n")[1]
    assert "CREATE SCHEMA IF NOT EXISTS orders AUTHORIZATION pd_orders_owner;\n" in statements
    asyncio.run(execute(yours.admin_dsn, statements))
    assert database.prepare(addresses.server(yours.known)) == "schemas are there"


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    known = Instance(tmp_path, "yours", Ports(7300), brokers=1, durable=True, own_database=False)
    instance.save(known)
    known.keep_secrets({addresses.YOURS: "postgresql://me:pw@127.0.0.1:1/shop"})

    with pytest.raises(LaunchError, match=r"PostgreSQL at 127\.0\.0\.1:1 does not let me into"):
        database.prepare(addresses.server(known))


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--bootstrap-servers", "127.0.0.1:1", "No Kafka answers at 127.0.0.1:1"),
        ("--database-url", "postgresql://me:pw@127.0.0.1:1/shop", "does not let me into"),
    ],
)
def test_an_address_where_nobody_answers_is_not_kept(
    passable: Path, option: str, value: str, said: str
) -> None:
    place = passable / "default"
    place.mkdir()
    made = Instance(place, "default", Ports(7300), brokers=1, durable=True)
    instance.save(made)

    command = run_module("launcher.cli", "up", "--folder", str(passable), option, value)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 1
    assert said in done.stderr
    assert instance.load(place) == made
    assert addresses.YOURS not in made.secrets()
