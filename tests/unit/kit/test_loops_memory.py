"""The loops' suite on the bus in memory."""

import pytest
from typing_extensions import override

from kit.bus.memory import MemoryBus
from kit.bus.ports import Bus, Message
from tests.suites.loops import LoopsSuite

pytestmark = pytest.mark.unit


class TestLoopsOnMemory(LoopsSuite):
    """Everything the suite asks."""

    @override
    async def end_in_a_gap(self, bus: Bus, topic: str) -> None:
        """Compact a topic whose last record is a tombstone."""
        assert isinstance(bus, MemoryBus)
        await bus.producer().send(Message(topic, b"k0", None))
        bus.compact(topic)
