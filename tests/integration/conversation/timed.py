"""The service on a clock that a module's tests move: fixtures for modules that say they want them.

`clock, platform, admin = timed.clock, timed.platform, timed.admin` is how a module says so.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio

from kit.clock import ManualClock
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Person, Platform, started
from tests.integration.conversation.shift import talk_now


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clock() -> ManualClock:
    """The business time of the module's service."""
    return ManualClock(datetime.now(UTC))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings, clock: ManualClock) -> AsyncIterator[Platform]:
    """The service on that clock."""
    async with started(settings, clock=clock) as running_platform:
        yield running_platform


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def admin(platform: Platform) -> None:
    """Sign the administrator in again: the tests before moved the clock past his token's life."""
    await platform.sign_in_admin()


async def stands(reader: Person, talk: Mapping[str, Any], *states: str) -> bool:
    """Tell whether a conversation is in one of these states."""
    return (await talk_now(reader, talk))["state"] in states


async def is_open(reader: Person, talk: Mapping[str, Any]) -> bool:
    """Tell whether a conversation is not closed."""
    return await stands(reader, talk, "queued", "assigned")
