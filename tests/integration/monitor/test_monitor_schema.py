"""The monitor's migrations make exactly the tables of its models."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from kit import tables
from services.monitor.models import METADATA
from tests.infrastructure import TestDatabase

pytestmark = pytest.mark.integration


async def test_migrations_and_models_agree(database: TestDatabase) -> None:
    await tables.upgrade(database.dsn("monitor"), "monitor")
    # Outside its own search path, Alembic names the schema as the models do.
    outside = {"server_settings": {"search_path": "pg_catalog"}}
    engine = create_async_engine(database.dsn("monitor"), connect_args=outside)

    async with engine.connect() as connection:
        differences = await connection.run_sync(_differences)
    await engine.dispose()

    assert differences == []


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
