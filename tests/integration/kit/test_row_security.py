"""Policies come with migrations: once, beside running transactions, and anew when they change."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Column, MetaData, Table, Text, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from kit import row_security, tables
from tests.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.integration

POLICIES = text(
    "select tablename || ': ' || qual from pg_policies where schemaname = :schema order by 1"
)
WAITING = text("select count(*) from pg_locks where not granted and relation = to_regclass(:table)")


@pytest.fixture
async def engine(pg_dsn: str) -> AsyncIterator[AsyncEngine]:
    """The owner's."""
    engine = create_async_engine(pg_dsn)
    yield engine
    await engine.dispose()


@pytest.fixture
async def notes(engine: AsyncEngine) -> MetaData:
    """A schema with two tables, of which one has a shop."""
    metadata = tables.metadata(f"rows_{secrets.token_hex(4)}")
    Table("notes", metadata, Column("id", Text, primary_key=True), Column("shop_id", Text))
    tables.marks(metadata)
    async with engine.begin() as connection:
        await connection.execute(text(f"create schema {metadata.schema}"))
        await connection.run_sync(metadata.create_all)
    return metadata


async def ensure(engine: AsyncEngine, metadata: MetaData) -> None:
    async with engine.connect() as connection:
        await row_security.ensure(connection, metadata)


async def policies(engine: AsyncEngine, metadata: MetaData) -> list[str]:
    async with engine.connect() as connection:
        found = await connection.execute(POLICIES, {"schema": metadata.schema})
        return list(found.scalars())


async def test_a_table_of_a_shop_gets_its_policy_once(engine: AsyncEngine, notes: MetaData) -> None:
    await ensure(engine, notes)
    (made,) = await policies(engine, notes)
    assert "ELSE (shop_id = current_setting(" in made

    async with engine.begin() as reader:
        await reader.execute(text(f"select from {notes.schema}.notes"))
        async with asyncio.timeout(PATIENCE_S):
            await ensure(engine, notes)  # waits for nobody, for it changes nothing


async def test_a_changed_rule_makes_the_policy_anew(engine: AsyncEngine, notes: MetaData) -> None:
    await ensure(engine, notes)
    notes.tables[f"{notes.schema}.notes"].info.update(row_security.of("id"))

    await ensure(engine, notes)

    (made,) = await policies(engine, notes)
    assert "ELSE (id = current_setting(" in made


async def test_who_uses_a_table_is_not_held_up_by_a_policy_that_waits(
    engine: AsyncEngine, notes: MetaData
) -> None:
    name = f"{notes.schema}.notes"

    async def waits() -> bool:
        async with engine.connect() as connection:
            return bool((await connection.execute(WAITING, {"table": name})).scalar())

    async with engine.begin() as long:
        await long.execute(text(f"select from {name}"))
        securing = asyncio.create_task(ensure(engine, notes))
        for number in range(5):
            await eventually(waits, what="the policy waits")
            async with asyncio.timeout(PATIENCE_S), engine.begin() as other:
                await other.execute(text(f"insert into {name} values ('{number}', 'shop')"))
        assert not securing.done()
        assert await policies(engine, notes) == []

    async with asyncio.timeout(PATIENCE_S):
        await securing
    assert len(await policies(engine, notes)) == 1
