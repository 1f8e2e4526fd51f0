"""Migrations: one call brings a schema up, a second changes nothing, two at once do not meet."""

import asyncio
import secrets
from pathlib import Path

import pytest
from sqlalchemy import text

from kit import table_locks, tables
from kit.postgres import Database
from kit.table_locks import TablesInUse
from tests.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.integration

ENV = """
from kit import tables
tables.run_migrations(tables.metadata("{schema}"))
"""

REVISION = """
from alembic import op
from kit import tables

revision = "0001"
down_revision = None

def upgrade() -> None:
    made = tables.metadata("{schema}")
    for table in (tables.outbox, tables.inbox, tables.idempotency):
        table(made).create(op.get_bind())
"""

COLUMN = """
from alembic import op

revision = "0002"
down_revision = "0001"

def upgrade() -> None:
    op.execute("ALTER TABLE {schema}.inbox ADD COLUMN note text")
"""

INDEX = """
from kit import tables

revision = "0002"
down_revision = "0001"

def upgrade() -> None:
    tables.index("ix_inbox_event_id", "{schema}.inbox", "event_id")
"""

WRITE = text("insert into inbox (consumer, event_id) values ('c', :id)")


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A service with one migration, in a package of its own; returns its schema."""
    schema = f"mig_{secrets.token_hex(4)}"
    versions = tmp_path / f"of_{schema}" / schema / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "env.py").write_text(ENV.format(schema=schema))
    (versions / "0001_kit.py").write_text(REVISION.format(schema=schema))
    for package in (versions.parents[1], versions.parents[2]):
        (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    return schema


async def test_migrations_make_the_tables_once_however_often_they_are_called(
    pg_dsn: str, service: str
) -> None:
    package = f"of_{service}"

    await asyncio.gather(*(tables.upgrade(pg_dsn, service, package=package) for _ in range(2)))
    await tables.upgrade(pg_dsn, service, package=package)

    database = Database(pg_dsn, schema=service)
    async with database.read_across("a test") as session:
        rows = await session.execute(
            text("select tablename from pg_tables where schemaname = :schema order by 1"),
            {"schema": service},
        )
        assert [name for (name,) in rows] == ["alembic_version", "idempotency", "inbox", "outbox"]
    await database.close()


async def test_who_uses_a_table_is_not_held_up_by_a_migration_that_waits_for_a_dump(
    pg_dsn: str, service: str, tmp_path: Path
) -> None:
    package = await _with_a_column_to_come(pg_dsn, service, tmp_path)
    dump = Database(pg_dsn, schema=service)
    shop = Database(pg_dsn, schema=service, statement_timeout_ms=2_000)

    async with dump.read_across("a test") as dumping:
        await dumping.execute(text("select from inbox"))
        migrating = asyncio.create_task(tables.upgrade(pg_dsn, service, package=package))
        for number in range(4):
            await eventually(lambda: _is_waited_for(dump), what="the migration waits")
            async with shop.write_across("a test") as session:
                await session.execute(WRITE, {"id": str(number)})
        assert not migrating.done()
    await migrating

    async with shop.read_across("a test") as session:
        found = await session.execute(text("select event_id, note from inbox order by 1"))
        assert [tuple(row) for row in found] == [(str(number), None) for number in range(4)]
    await dump.close()
    await shop.close()


async def test_a_migration_gives_up_and_says_who_is_in_the_way(
    pg_dsn: str, service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_locks, "PAUSES_S", (0.01, 0.01))
    package = await _with_a_column_to_come(pg_dsn, service, tmp_path)
    dump = Database(pg_dsn, schema=service, name="pg_dump")

    async with dump.read_across("a test") as dumping:
        await dumping.execute(text("select from inbox"))
        with pytest.raises(TablesInUse, match=rf"a table of {service} .* by pg_dump \(server"):
            await tables.upgrade(pg_dsn, service, package=package)

    await tables.upgrade(pg_dsn, service, package=package)
    async with dump.read_across("a test") as session:
        assert list(await session.scalars(text("select note from inbox"))) == []
    await dump.close()


async def test_an_index_is_built_while_others_write(
    pg_dsn: str, service: str, tmp_path: Path
) -> None:
    package = f"of_{service}"
    await tables.upgrade(pg_dsn, service, package=package)
    folder = tmp_path / package / service / "migrations" / "versions"
    (folder / "0002_index.py").write_text(INDEX.format(schema=service))
    database = Database(pg_dsn, schema=service)

    async with database.write_across("a test") as early:
        await early.execute(WRITE, {"id": "1"})
        migrating = asyncio.create_task(tables.upgrade(pg_dsn, service, package=package))
        await eventually(lambda: _index_is(database, service, valid=False))
        async with asyncio.timeout(PATIENCE_S), database.write_across("a test") as late:
            await late.execute(WRITE, {"id": "2"})
        await asyncio.sleep(2 * table_locks.WAIT_MS / 1000)  # it holds nobody up, and gives not up
        assert not migrating.done()
    await migrating

    assert await _index_is(database, service, valid=True)
    await tables.upgrade(pg_dsn, service, package=package)
    await database.close()


async def _index_is(database: Database, schema: str, *, valid: bool) -> bool:
    query = text("select indisvalid from pg_index where indexrelid = to_regclass(:name)")
    async with database.read_across("a test") as session:
        found = await session.execute(query, {"name": f"{schema}.ix_inbox_event_id"})
        return found.scalar() is valid


async def _with_a_column_to_come(pg_dsn: str, service: str, tmp_path: Path) -> str:
    """Bring the schema up, then add a migration that changes a table; return the package."""
    package = f"of_{service}"
    await tables.upgrade(pg_dsn, service, package=package)
    folder = tmp_path / package / service / "migrations" / "versions"
    (folder / "0002_column.py").write_text(COLUMN.format(schema=service))
    return package


async def _is_waited_for(database: Database) -> bool:
    query = text(
        "select count(*) from pg_locks where not granted and relation = to_regclass('inbox')"
    )
    async with database.read_across("a test") as session:
        return bool((await session.execute(query)).scalar_one())
