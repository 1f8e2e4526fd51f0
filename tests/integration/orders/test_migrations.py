"""The migrations make exactly the models' tables, in a schema that no other role can read."""

from importlib import import_module

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine

from tests.deployed import CHECKOUT
from tests.infrastructure import TestDatabase

pytestmark = pytest.mark.integration

SERVICES = ("orders", "aftersales")


def metadata_of(service: str) -> MetaData:
    """Return the tables of a service, of every subject that has some."""
    for models in sorted((CHECKOUT / "services" / service).glob("*/models.py")):
        import_module(f"services.{service}.{models.parent.name}.models")
    tables_of = import_module(f"services.{service}.tables")
    assert isinstance(tables_of.METADATA, MetaData)
    return tables_of.METADATA


@pytest.mark.parametrize("service", SERVICES)
async def test_the_migrations_make_the_tables_of_the_models(
    database: TestDatabase, service: str
) -> None:
    metadata = metadata_of(service)
    await database.migrate(service)

    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, _: kind != "schema" or name == service,
                "version_table_schema": service,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        return list(compare_metadata(context, metadata))

    # Outside its own search path, Alembic names the schema as the models do.
    outside = {"server_settings": {"search_path": "pg_catalog"}}
    engine = create_async_engine(database.dsn(service), connect_args=outside)
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(compare) == []
    finally:
        await engine.dispose()


@pytest.mark.parametrize(
    ("role", "table"),
    [
        ("orders", "aftersales.cases"),
        ("aftersales", "orders.orders"),
    ],
)
async def test_one_services_role_cannot_read_another_services_tables(
    database: TestDatabase, role: str, table: str
) -> None:
    for service in SERVICES:
        await database.migrate(service)
    engine = create_async_engine(database.dsn(role))
    try:
        async with engine.connect() as connection:
            with pytest.raises(ProgrammingError, match="permission denied"):
                await connection.execute(text(f"select 1 from {table}"))
    finally:
        await engine.dispose()


@pytest.mark.parametrize("service", SERVICES)
async def test_the_audit_is_append_only(database: TestDatabase, service: str) -> None:
    await database.migrate(service)
    engine = create_async_engine(database.dsn(service))
    try:
        for change, refused in (
            ("update audit set note = ''", "never changed or deleted"),
            ("delete from audit", "never changed or deleted"),
            ("truncate audit", "permission denied"),
        ):
            async with engine.connect() as connection:
                await connection.execute(text(f"set search_path to {service}"))
                with pytest.raises(DBAPIError, match=refused):
                    await connection.execute(text(change))
    finally:
        await engine.dispose()
