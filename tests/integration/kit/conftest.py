"""A schema with the kit's own tables, for each test alone, and topics on the real broker."""

import itertools
import secrets
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from kit import tables
from kit.bus.kafka import KafkaBus, NewTopic, create_topics
from kit.postgres import Database
from tests.infrastructure import Infrastructure
from tests.suites.bus import MakeTopic

_NUMBERS = itertools.count()


@pytest.fixture
async def store(pg_dsn: str) -> AsyncIterator[Database]:
    """A database whose schema holds the kit's tables and nothing else."""
    schema = f"kit_{secrets.token_hex(4)}"
    engine = create_async_engine(pg_dsn)
    made = tables.metadata(schema)
    for table in (
        tables.outbox,
        tables.inbox,
        tables.timers,
        tables.positions,
        tables.marks,
        tables.generations,
    ):
        table(made)
    async with engine.begin() as connection:
        await connection.execute(text(f"create schema {schema}"))
        await connection.run_sync(made.create_all)
    await engine.dispose()
    database = Database(pg_dsn, schema=schema, pool_size=20)
    yield database
    await database.close()


@pytest.fixture
async def bus(infra: Infrastructure, kafka_prefix: str) -> AsyncIterator[KafkaBus]:
    """The real broker."""
    bus = KafkaBus(infra.bootstrap_servers, prefix=kafka_prefix, client_id="kit-tests")
    yield bus
    await bus.close()


@pytest.fixture
def make_topic(bus: KafkaBus) -> MakeTopic:
    """Makes a topic with that many partitions."""

    async def make(partitions: int, name: str = "") -> str:
        name = name or f"kit.{next(_NUMBERS)}"
        assert await create_topics(bus.connection, [NewTopic(name, partitions)]) == [name]
        return name

    return make
