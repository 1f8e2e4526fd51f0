"""Schemas of the release before, whose services owned their tables: moved, or left and told of."""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

import asyncpg
import pytest
from sqlalchemy import text

from kit import tables
from kit.postgres import Database, Unsecured
from launcher.errors import LaunchError
from launcher.postgres import database, roles
from launcher.postgres.addresses import Server
from launcher.postgres.roles import DATABASE_SERVICES
from tests import infrastructure
from tests.infrastructure import Infrastructure, TestDatabase

pytestmark = pytest.mark.integration

SECRET = "insert into intake_secrets (shop_id, version) values (:shop, 1)"
SHOPS = text("select shop_id from intake_secrets order by 1")

LEFT = """
    select count(*) from (
        select relowner from pg_class where relnamespace = to_regnamespace($1)
        union all select proowner from pg_proc where pronamespace = to_regnamespace($1)
        union all select nspowner from pg_namespace where nspname = $1
    ) as found (owner) where owner = $2::regrole
"""


@dataclass(frozen=True)
class Before:
    """A database as the release before left it, with two shops in it."""

    made: TestDatabase
    server: Server

    async def run(self, *statements: str) -> None:
        """Run statements as an administrator of the server, who is not the one we are given."""
        connection = await asyncpg.connect(self.made.administrator)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def left(self, service: str) -> int:
        """Return how many things the run role of a service owns."""
        async with self.made.connected(service) as connection:
            return int(await connection.fetchval(LEFT, service, roles.role_of(service)))

    async def seen(self, shop: str) -> list[str]:
        """Return whose rows the orders service sees."""
        store = Database(self.made.dsn("orders"), schema="orders", name="peakdesk/test")
        try:
            async with store.read(shop) as session:
                return list((await session.execute(SHOPS)).scalars())
        finally:
            await store.close()

    async def held_back(self) -> bool:
        """Ask the orders service whether policies hold it back, as production does."""
        store = Database(self.made.dsn("orders"), schema="orders")
        try:
            await store.require_policies()
        except Unsecured:
            return False
        finally:
            await store.close()
        return True

    async def write(self, shop: str) -> None:
        """Store something as the orders service."""
        store = Database(self.made.dsn("orders"), schema="orders")
        try:
            async with store.write(shop) as session:
                await session.execute(text(SECRET), {"shop": shop})
        finally:
            await store.close()


@pytest.fixture
def before(infra: Infrastructure) -> Iterator[Before]:
    """The database; its tables are those of today, but for policies and owners."""
    made = asyncio.run(infrastructure.create_database(infra))
    services = {service: made.dsn(service) for service in DATABASE_SERVICES}
    yours = Before(made, Server(made.administrator, services))
    asyncio.run(_as_the_release_before(yours))
    yield yours
    asyncio.run(infrastructure.drop_database(infra, made.name))


async def _as_the_release_before(before: Before) -> None:
    for service in DATABASE_SERVICES:
        role = roles.role_of(service)
        await before.run(
            f"DROP SCHEMA {service} CASCADE", f"CREATE SCHEMA {service} AUTHORIZATION {role}"
        )
        # "heads", not "head": it had the tables, and no policy.
        await tables.upgrade(before.made.dsn(service), service, revision="heads")
    for shop in ("one", "two"):
        await before.write(shop)


def test_up_gives_the_schemas_owners_and_services_go_on(before: Before) -> None:
    assert database.is_secured(before.server) is False
    assert asyncio.run(before.seen("one")) == ["one", "two"], "an owner sees everything"
    assert not asyncio.run(before.held_back()), "production would not be ready"

    assert database.prepare(before.server) == "4 schemas given owners of their own"
    database.migrate(before.server)

    assert database.prepare(before.server) == "schemas are there"
    database.migrate(before.server)
    assert database.is_secured(before.server) is True
    assert database.due(before.server) == []
    assert asyncio.run(before.held_back())
    for service in DATABASE_SERVICES:
        assert asyncio.run(before.left(service)) == 0, service
    asyncio.run(before.write("three"))
    assert asyncio.run(before.seen("one")) == ["one"]
    assert asyncio.run(before.seen("three")) == ["three"]


def test_nothing_moves_while_a_service_of_the_release_before_is_connected(before: Before) -> None:
    async def meanwhile() -> None:
        ours = Database(before.made.dsn("orders"), schema="orders", name="peakdesk/orders")
        async with before.made.connected("monitor"), ours.read("one"):
            with pytest.raises(LaunchError, match=r"connected \(pd_monitor\).* stop every service"):
                await asyncio.to_thread(database.prepare, before.server)
        async with ours.read("one") as session:
            await asyncio.to_thread(database.prepare, before.server)
            assert list((await session.execute(SHOPS)).scalars()) == ["one"]
        await ours.close()

    database.migrate(before.server)
    asyncio.run(meanwhile())

    assert database.is_secured(before.server) is True


def test_a_dump_is_waited_for_by_nobody_for_long(before: Before) -> None:
    async def meanwhile() -> None:
        ours = Database(before.made.dsn("orders"), schema="orders", name="peakdesk/orders")
        async with ours.read("one") as session:
            await session.execute(SHOPS)
            with pytest.raises(LaunchError, match=r"a dump for instance.* Nothing was changed"):
                await asyncio.to_thread(database.prepare, before.server)
        await ours.close()

    asyncio.run(meanwhile())

    assert database.is_secured(before.server) is False
    assert database.prepare(before.server) == "4 schemas given owners of their own"


@pytest.fixture
def given(infra: Infrastructure, before: Before) -> Iterator[Before]:
    """The same for whom a login was given that may create and grant nothing."""
    login = f"you_{secrets.token_hex(4)}"
    address = before.made.address
    name = before.made.name
    asyncio.run(
        before.run(
            f"CREATE ROLE {login} LOGIN PASSWORD 'yours'",
            f'GRANT CONNECT ON DATABASE "{name}" TO {login}',
        )
    )
    mine = f"postgresql://{login}:yours@{address}/{name}"
    yield replace(before, server=replace(before.server, administrator=mine))
    owners = ", ".join(map(roles.owner_of, DATABASE_SERVICES))
    run_roles = ", ".join(map(roles.role_of, DATABASE_SERVICES))
    asyncio.run(before.run(f"REVOKE {owners}, {run_roles} FROM {login}"))
    asyncio.run(before.run(f'REVOKE ALL ON DATABASE "{name}" FROM {login}', f"DROP ROLE {login}"))


def test_a_database_of_yours_is_used_as_it_is_until_its_administrator_moves_it(
    given: Before,
) -> None:
    assert database.prepare(given.server, moves=False) == "schemas are there"
    database.migrate(given.server)
    assert database.is_secured(given.server) is False
    assert asyncio.run(given.seen("one")) == ["one", "two"]

    told = database.due(given.server)
    assert any("REASSIGN OWNED BY pd_orders TO pd_orders_owner" in one for one in told)
    assert not any("CURRENT_USER" in one for one in told), "it is not we who run them"
    asyncio.run(given.run(*told))

    assert database.is_secured(given.server) is True
    assert database.due(given.server) == []
    assert database.prepare(given.server, moves=False) == "schemas are there"
    database.migrate(given.server)
    assert asyncio.run(given.seen("one")) == ["one"], "policies were there before the owners"


def test_a_deployment_refuses_what_it_may_not_move(given: Before) -> None:
    with pytest.raises(LaunchError, match="Let an administrator run this") as refused:
        database.prepare(given.server)

    statements = refused.value.sentence.split("\n\n")[1]
    assert "REASSIGN OWNED BY pd_orders TO pd_orders_owner;\n" in statements
    asyncio.run(given.run(statements))
    assert database.prepare(given.server) == "schemas are there"
    database.migrate(given.server)
    assert asyncio.run(given.seen("two")) == ["two"]
