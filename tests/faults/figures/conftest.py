"""A platform of this proof's own, stopped when the run is over, and a monitor that stands alone."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests import infrastructure
from tests import platform as platforms
from tests.faults.figures.lone import LoneMonitor, Monitors
from tests.infrastructure import Infrastructure
from tests.platform import Platform

NAME = "figures"


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """The whole platform, shared by the session."""
    with platforms.lent(NAME) as lent:
        yield lent


@pytest.fixture
async def monitors(
    infra: Infrastructure, kafka_prefix: str, tmp_path: Path
) -> AsyncIterator[Monitors]:
    """Monitors, each on topics and a database of its own, ready; ended with the test."""
    async with AsyncExitStack() as ending:

        async def another() -> LoneMonitor:
            database = await infrastructure.create_database(infra)
            ending.push_async_callback(infrastructure.drop_database, infra, database.name)
            token = secrets.token_hex(3)
            log = tmp_path / f"monitor-{token}.log"
            monitor = LoneMonitor(infra, database, prefix=f"{kafka_prefix}{token}.", log=log)
            ending.push_async_callback(monitor.close)
            await monitor.prepare()
            await monitor.start()
            return monitor

        yield another


@pytest.fixture
async def lone(monitors: Monitors) -> LoneMonitor:
    """One of them."""
    return await monitors()
