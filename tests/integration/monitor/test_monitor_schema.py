"""The monitor's migrations make exactly the tables of its models."""

from importlib import import_module
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from kit import tables
from services import monitor
from services.monitor.tables import METADATA
from tests.infrastructure import TestDatabase

pytestmark = pytest.mark.integration

ROOMS = Path(monitor.__path__[0])
MODELS = [f"services.monitor.{found.parent.name}.models" for found in ROOMS.glob("*/models.py")]


def test_alembic_is_told_of_every_model() -> None:
    told = (ROOMS / "migrations" / "env.py").read_text(encoding="utf-8")

    assert MODELS
    assert [name for name in MODELS if f"import {name}\n" not in told] == []


async def test_migrations_and_models_agree(database: TestDatabase) -> None:
    for name in MODELS:
        import_module(name)
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
