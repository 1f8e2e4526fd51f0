"""A log, a database and the means to run monitors on them, once per module."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.infrastructure import Infrastructure
from tests.integration.monitor.rig import Monitor, Rig, monitoring


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(infra: Infrastructure, kafka_prefix: str) -> AsyncIterator[Rig]:
    """The module's world."""
    async with monitoring(infra, kafka_prefix) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def monitor(rig: Rig) -> AsyncIterator[Monitor]:
    """One monitor that runs as long as the module."""
    async with rig.monitor() as started:
        yield started
