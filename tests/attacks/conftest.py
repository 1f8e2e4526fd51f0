"""One running platform for all attacks, and the people who are attacked.

The cast is shared by the session and never changed; who changes somebody makes a world of his own.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from rehearsal.api import Api
from tests import platform as platforms
from tests.attacks.attacker import Attacker
from tests.attacks.cast import Cast, gather
from tests.platform import Platform
from tests.world import World


@pytest.fixture(scope="session")
def platform() -> Platform:
    """The whole platform, shared with the journeys; it is stopped with the test instance."""
    return platforms.running()


@pytest.fixture(scope="session")
def cast(platform: Platform) -> Cast:
    """Two shops with somebody of every role in each."""
    return asyncio.run(gather(platform))


@pytest.fixture
async def world(platform: Platform, cast: Cast) -> AsyncIterator[World]:
    """Shops and people of this test's own."""
    async with Api(platform.url) as api:
        made = World(api, cast.administrator())
        yield made
        await made.close()


@pytest.fixture
async def attacker(platform: Platform) -> AsyncIterator[Attacker]:
    """Somebody outside."""
    made = Attacker(platform.url)
    yield made
    await made.close()
