"""The loops' suite on the bus in memory."""

import asyncio

import pytest
from typing_extensions import override

from kit.bus.loops import ReaderLoop
from kit.bus.memory import MemoryBus, MemoryConsumer
from kit.bus.ports import Bus, Consumer, Message, Record, TopicPartition
from kit.bus.session import IDLE_MS
from tests.suites.loops import LoopsSuite
from tests.waiting import eventually

pytestmark = pytest.mark.unit


class TestLoopsOnMemory(LoopsSuite):
    """Everything the suite asks."""

    @override
    async def end_in_a_gap(self, bus: Bus, topic: str) -> None:
        """Compact a topic whose last record is a tombstone."""
        assert isinstance(bus, MemoryBus)
        await bus.producer().send(Message(topic, b"k0", None))
        bus.compact(topic)


class Patient(MemoryConsumer):
    """A consumer that waits for records for ever, and notes how long it was asked to."""

    def __init__(self, bus: MemoryBus, topics: list[str]) -> None:
        super().__init__(bus, topics)
        self.asked: list[int] = []

    @override
    async def getmany(
        self, timeout_ms: int, max_records: int | None = None
    ) -> dict[TopicPartition, list[Record]]:
        self.asked.append(timeout_ms)
        return await super().getmany(3_600_000, max_records)


class PatientBus(MemoryBus):
    """A bus whose one reader is patient."""

    @override
    def reader(self, topics: object) -> Consumer:
        return self.patient

    def __init__(self) -> None:
        super().__init__(partitions=1)
        self.patient = Patient(self, ["t"])


async def test_an_idle_loop_waits_for_records_alone_and_ends_when_it_is_told_to() -> None:
    bus = PatientBus()
    seen: list[Record] = []

    async def handle(records: list[Record]) -> None:
        seen.extend(records)

    loop = ReaderLoop(bus, topics=["t"], name="reader", handle=handle)
    running = asyncio.create_task(loop.run())
    await eventually(lambda: bus.patient.asked)
    await bus.producer().send(Message("t", b"k", b"v"))
    await eventually(lambda: len(seen) == 1)
    await eventually(lambda: len(bus.patient.asked) > 1)

    await loop.stop()

    assert running.done()
    await running
    assert set(bus.patient.asked) == {IDLE_MS}
