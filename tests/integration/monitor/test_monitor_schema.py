"""The monitor's migrations make exactly the tables of its models."""

from importlib import import_module
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from kit.postgres import Database
from services import monitor
from services.monitor.tables import METADATA
from tests.infrastructure import (
    Infrastructure,
    TestDatabase,
    create_database,
    drop_database,
)

pytestmark = pytest.mark.integration

ROOMS = Path(monitor.__path__[0])
MODELS = [f"services.monitor.{found.parent.name}.models" for found in ROOMS.glob("*/models.py")]


async def test_migrations_and_models_agree(database: TestDatabase) -> None:
    for name in MODELS:
        import_module(name)
    await database.migrate("monitor")
    # Outside its own search path, Alembic names the schema as the models do.
    outside = {"server_settings": {"search_path": "pg_catalog"}}
    engine = create_async_engine(database.dsn("monitor"), connect_args=outside)

    async with engine.connect() as connection:
        differences = await connection.run_sync(_differences)
    await engine.dispose()

    assert differences == []


async def test_what_each_profile_was_told_of_a_wait_becomes_one_firing(
    infra: Infrastructure,
) -> None:
    made = await create_database(infra)
    database = Database(made.dsn("monitor"), schema="monitor")
    try:
        await made.migrate("monitor", revision="0002")
        async with database.write_across("the release before") as session:
            await session.execute(
                text(
                    "insert into firings select 1, 0, 7, profile, threshold_s, 's', 'c', 1, 2 from"
                    " (values ('qiyu', 20), ('jd_2021', 20), ('qiyu', 30)) t (profile, threshold_s)"
                )
            )
        await made.migrate("monitor")
        async with database.read_across("a test") as session:
            rows = await session.execute(
                text("select threshold_s, profile, profiles, late_ms from firings order by 1")
            )
            found = [tuple(row) for row in rows]
    finally:
        await database.close()
        await drop_database(infra, made.name)

    assert found == [(20, "jd_2021", ["jd_2021", "qiyu"], 2), (30, "qiyu", ["qiyu"], 2)]


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection,
        opts={
            "include_schemas": True,
            "version_table_schema": "monitor",
            "include_name": lambda name, kind, _: kind != "schema" or name == "monitor",
        },
    )
    return list(compare_metadata(context, METADATA))
