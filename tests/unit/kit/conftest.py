"""A bus in memory for the suites."""

import itertools

import pytest

from kit.bus.memory import MemoryBus
from tests.suites.bus import MakeTopic

_NUMBERS = itertools.count()


@pytest.fixture
def bus() -> MemoryBus:
    """A bus without topics."""
    return MemoryBus()


@pytest.fixture
def make_topic(bus: MemoryBus) -> MakeTopic:
    """Makes a topic with that many partitions."""

    async def make(partitions: int, name: str = "") -> str:
        name = name or f"kit.{next(_NUMBERS)}"
        bus.add_topic(name, partitions)
        return name

    return make
