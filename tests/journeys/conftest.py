"""A running platform and a fresh world on it for every journey."""

from collections.abc import AsyncIterator

import pytest

from tests import platform as platforms
from tests.platform import Platform
from tests.world import World


@pytest.fixture(scope="session")
def platform() -> Platform:
    """The whole platform, shared by the run (`tests.workers` stops it behind the last of these)."""
    return platforms.running()


@pytest.fixture
async def world(platform: Platform) -> AsyncIterator[World]:
    """Shops and people of this test's own."""
    async with World.of(platform.url, platform.admin) as made:
        yield made
