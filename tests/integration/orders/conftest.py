"""Both services, running once per module on real Kafka and PostgreSQL."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.infrastructure import Infrastructure, TestDatabase
from tests.trade import Trade, trading


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trade(
    infra: Infrastructure, database: TestDatabase, kafka_prefix: str
) -> AsyncIterator[Trade]:
    """The services with their usual settings."""
    async with trading(infra, database, kafka_prefix) as running:
        yield running
