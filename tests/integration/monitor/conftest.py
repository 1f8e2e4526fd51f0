"""A log, a database and the means to run monitors on them, once per module."""

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.infrastructure import Infrastructure
from tests.integration.monitor.rig import Monitor, Rig, monitoring
from wording.lexicon import SHIPPED


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(
    infra: Infrastructure, kafka_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Rig]:
    """The module's world, with a lexicon that nobody edits meanwhile."""
    lexicon = tmp_path_factory.mktemp("wording") / "lexicon"
    shutil.copytree(SHIPPED, lexicon)
    async with monitoring(infra, kafka_prefix, lexicon) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def monitor(rig: Rig) -> AsyncIterator[Monitor]:
    """One monitor that runs as long as the module."""
    async with rig.monitor() as started:
        yield started
