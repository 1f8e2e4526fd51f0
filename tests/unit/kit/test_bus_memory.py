"""The bus suite on the double, and the broker that it can play being away."""

import asyncio

import pytest

from kit.bus.memory import MemoryBus
from kit.bus.ports import BusAway, Message, Position, Stalled
from kit.clock import ManualClock
from tests.suites.bus import BusSuite
from tests.suites.waking import WakeSuite

pytestmark = pytest.mark.unit


class TestMemoryBus(BusSuite, WakeSuite):
    """Everything the suites ask, answered in memory."""


async def test_a_partition_that_waited_two_seconds_for_an_ack_takes_no_new_sends() -> None:
    clock = ManualClock()
    bus = MemoryBus(partitions=1, clock=clock)
    producer = bus.producer()
    bus.withhold_acks()

    (first,) = await producer.send_all([Message("t", b"k", b"1")])
    assert not producer.stalled("t", b"k")
    clock.advance(2.1)
    (second,) = await producer.send_all([Message("t", b"k", b"2")])

    assert producer.stalled("t", b"k")
    with pytest.raises(Stalled):
        await second
    assert not first.done()
    bus.release_acks()
    assert await first == Position(0, 0)
    assert [record.value for record in bus.records("t")] == [b"1"]


async def test_with_acks_withheld_nothing_can_be_read_and_the_bus_does_not_answer() -> None:
    bus = MemoryBus(partitions=1)
    producer = bus.producer()
    reader = bus.reader(["t"])
    await reader.start()
    bus.withhold_acks()

    sending = asyncio.create_task(producer.send(Message("t", b"k", b"1")))

    assert await reader.getmany(20) == {}
    with pytest.raises(BusAway):
        await bus.ping()
    bus.release_acks()
    assert await sending == Position(0, 0)
    await reader.stop()
