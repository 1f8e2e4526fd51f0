"""Migrations: one call brings a schema up, a second changes nothing, two at once do not meet."""

import asyncio
import secrets
from pathlib import Path

import pytest
from sqlalchemy import text

from kit import tables
from kit.postgres import Database

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
    async with database.read() as session:
        rows = await session.execute(
            text("select tablename from pg_tables where schemaname = :schema order by 1"),
            {"schema": service},
        )
        assert [name for (name,) in rows] == ["alembic_version", "idempotency", "inbox", "outbox"]
    await database.close()
