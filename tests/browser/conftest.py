"""A platform of these journeys' own, for they kill its gateway; people, and browsers for them."""

from collections.abc import AsyncIterator, Generator, Iterator

import pytest

from tests import platform as platforms
from tests.browser.windows import Windows, browsing
from tests.platform import Platform
from tests.world import Shop, World

NAME = "browser"
FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure for the fixtures that are torn down behind it."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(scope="package")
def platform() -> Iterator[Platform]:
    """The whole platform, shared by the folder: one worker has all of it, journey by journey."""
    with platforms.lent(NAME) as lent:
        yield lent


@pytest.fixture
async def world(platform: Platform) -> AsyncIterator[World]:
    """Shops and people of this journey's own; buyers speak over the public API."""
    async with World.of(platform.url, platform.admin) as made:
        yield made


@pytest.fixture
async def shop(world: World) -> Shop:
    """A shop of this journey's own."""
    return await world.shop()


@pytest.fixture
async def windows(platform: Platform, request: pytest.FixtureRequest) -> AsyncIterator[Windows]:
    """Browsers; what they show is kept when the journey fails."""
    async with browsing(platform.url) as opened:
        yield opened
        if request.node.stash.get(FAILED, False):
            paths = await opened.keep_pictures(request.node.name)
            request.node.add_report_section("teardown", "pictures", "\n".join(map(str, paths)))
