"""Migrations: one call brings a schema up, a second changes nothing, two at once do not meet."""

import asyncio
import secrets
from pathlib import Path

import pytest
from sqlalchemy import text

from kit import tables
from kit.postgres import Database
from tests.waiting import eventually

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

INDEX = """
from kit import tables

revision = "0002"
down_revision = "0001"

def upgrade() -> None:
    tables.index("ix_inbox_event_id", "{schema}.inbox", "event_id")
"""


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


async def test_an_index_is_built_while_others_write(
    pg_dsn: str, service: str, tmp_path: Path
) -> None:
    package = f"of_{service}"
    await tables.upgrade(pg_dsn, service, package=package)
    folder = tmp_path / package / service / "migrations" / "versions"
    (folder / "0002_index.py").write_text(INDEX.format(schema=service))
    database = Database(pg_dsn, schema=service)
    write = text("insert into inbox (consumer, event_id) values ('c', :id)")

    async with database.write_across("a test") as early:
        await early.execute(write, {"id": "1"})
        migrating = asyncio.create_task(tables.upgrade(pg_dsn, service, package=package))
        await eventually(lambda: _index_is(database, service, valid=False))
        async with asyncio.timeout(5), database.write_across("a test") as late:
            await late.execute(write, {"id": "2"})
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
