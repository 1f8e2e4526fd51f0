"""What has left the ring is read once for all who need it, and never more than may be held."""

import asyncio
from collections.abc import Sequence

import pytest
from typing_extensions import override

from kit.bus.memory import MemoryBus
from kit.bus.ports import Consumer, Message
from kit.clock import ManualClock
from services.gateway.history import GapReader, GapTooLarge
from services.gateway.history.gap import SHARED_FOR_S
from services.gateway.history.ring import ENTRY_OVERHEAD

pytestmark = pytest.mark.unit

VALUE = b"x" * 1_000
OCTETS = len(VALUE) + ENTRY_OVERHEAD


class Bus(MemoryBus):
    """A bus that counts its readers."""

    def __init__(self) -> None:
        super().__init__(partitions=2)
        self.readers = 0

    @override
    def reader(self, topics: Sequence[str]) -> Consumer:
        """Count one more."""
        self.readers += 1
        return super().reader(topics)


async def written(count: int) -> Bus:
    """Return a bus with so many records of a conversation in each of two partitions."""
    bus = Bus()
    producer = bus.producer()
    await producer.start()
    for number in range(count):
        for key in KEYS:
            headers = tuple(
                (name, f"{number}".encode()) for name in ("ce_id", "ce_type", "ce_time", "ce_shop")
            )
            await producer.send(Message("chat", key, VALUE, headers))
    return bus


KEYS = (b"anne", b"ben")
STARTS = (10, 9, 4, 7, 0, 8, 3)


async def places(bus: Bus) -> dict[bytes, int]:
    """Return the partition of each conversation."""
    producer = bus.producer()
    await producer.start()
    found = {key: await producer.partition_for("chat", key) for key in KEYS}
    assert set(found.values()) == {0, 1}
    return found


async def test_all_who_wait_for_a_partition_share_one_reader_wherever_they_begin() -> None:
    bus = await written(50)
    place = (await places(bus))[KEYS[0]]
    gaps = GapReader(bus, "chat", clock=ManualClock())

    found = await asyncio.gather(
        *(gaps.read(KEYS[0], place, start=start, end=40 + start) for start in STARTS)
    )

    assert [[e.offset for e in one] for one in found] == [
        list(range(start, 40 + start)) for start in STARTS
    ]
    assert bus.readers == 2  # the first begins before anybody else has come


async def test_more_bytes_than_may_be_held_are_refused_once_for_all_who_ask() -> None:
    bus = await written(50)
    place = await places(bus)
    clock = ManualClock()
    gaps = GapReader(bus, "chat", clock=clock, octets=30 * OCTETS)
    for _ in range(3):
        with pytest.raises(GapTooLarge):
            await gaps.read(KEYS[0], place[KEYS[0]], start=0, end=50)
    assert bus.readers == 1

    small = await gaps.read(KEYS[0], place[KEYS[0]], start=30, end=50)
    assert len(small) == 20
    with pytest.raises(GapTooLarge):
        await gaps.read(KEYS[1], place[KEYS[1]], start=0, end=20)

    clock.advance(SHARED_FOR_S + 0.1)
    await gaps.forget()
    assert len(await gaps.read(KEYS[1], place[KEYS[1]], start=0, end=20)) == 20
