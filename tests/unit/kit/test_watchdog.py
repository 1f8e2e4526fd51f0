"""The watchdog: red, then a new consumer, then a new process; and a loop that obeys it."""

import asyncio
from collections.abc import Sequence

import pytest
from typing_extensions import override

from kit.bus.loops import ReaderLoop
from kit.bus.memory import MemoryBus, MemoryConsumer
from kit.bus.ports import Consumer, Message, Record, TopicPartition
from kit.bus.watchdog import Advice, Hung, Patience, Watchdog
from kit.clock import ManualClock
from tests.waiting import eventually

pytestmark = pytest.mark.unit


def test_silence_turns_red_then_restarts_then_ends_the_process() -> None:
    clock = ManualClock()
    watchdog = Watchdog(clock, Patience())
    heard: dict[Advice, int] = {}

    for second in range(140):
        clock.advance(1)
        advice = watchdog.advice(broker_answers=True)
        heard.setdefault(advice, second + 1)
        if advice is Advice.RESTART:
            watchdog.restarted()

    assert heard == {Advice.WELL: 1, Advice.RED: 16, Advice.RESTART: 31, Advice.EXIT: 121}


def test_what_was_read_out_a_while_ago_is_progress_as_of_then() -> None:
    clock = ManualClock()
    watchdog = Watchdog(clock, Patience())
    clock.advance(10)
    watchdog.progress(4)
    assert watchdog.silent_s == 4

    watchdog.progress(7)
    assert watchdog.silent_s == 4, "later progress stands"


def test_a_broker_that_is_away_never_ends_the_process() -> None:
    clock = ManualClock()
    watchdog = Watchdog(clock, Patience())
    clock.advance(1000)

    assert watchdog.advice(broker_answers=False) is Advice.RESTART


def test_progress_makes_well_and_an_excuse_only_spares_the_restart() -> None:
    clock = ManualClock()
    watchdog = Watchdog(clock, Patience())

    clock.advance(200)
    watchdog.excused()
    assert watchdog.advice(broker_answers=True) is Advice.RED
    watchdog.progress()
    assert watchdog.advice(broker_answers=True) is Advice.WELL


def test_a_broker_that_comes_back_after_minutes_finds_as_much_patience_as_ever() -> None:
    clock = ManualClock()
    watchdog = Watchdog(clock, Patience())
    for _ in range(40):
        clock.advance(5)
        watchdog.excused()
    heard: dict[Advice, int] = {}

    for second in range(140):
        clock.advance(1)
        advice = watchdog.advice(broker_answers=True)
        heard.setdefault(advice, second + 1)
        if advice is Advice.RESTART:
            watchdog.restarted()

    assert heard == {Advice.RED: 1, Advice.RESTART: 31, Advice.EXIT: 121}


class Deaf(MemoryConsumer):
    """A consumer that hears `hears` times and then nothing, as aiokafka can."""

    hears = 0

    @override
    async def getmany(
        self, timeout_ms: int, max_records: int | None = None
    ) -> dict[TopicPartition, list[Record]]:
        if self.hears == 0:
            await asyncio.sleep(0)
            return {}
        self.hears -= 1
        return await super().getmany(timeout_ms, max_records)


class DeafBus(MemoryBus):
    """A bus whose first consumers are deaf, each after hearing a number of times."""

    hears: Sequence[int] = ()
    made = 0

    @override
    def reader(self, topics: Sequence[str]) -> Consumer:
        self.made += 1
        if self.made > len(self.hears):
            return super().reader(topics)
        consumer = Deaf(self, topics)
        consumer.hears = self.hears[self.made - 1]
        return consumer


async def test_a_deaf_consumer_is_replaced_and_nothing_is_lost() -> None:
    clock = ManualClock()
    bus = DeafBus(partitions=1, clock=clock)
    bus.hears = [1]
    producer = bus.producer()
    seen: list[bytes | None] = []

    async def handle(records: list[Record]) -> None:
        seen.extend(record.value for record in records)

    loop = ReaderLoop(bus, topics=["t"], name="reader", handle=handle, clock=clock)
    await producer.send(Message("t", b"k", b"1"))
    running = asyncio.create_task(loop.run())
    await eventually(lambda: seen == [b"1"])
    await producer.send(Message("t", b"k", b"2"))

    await clock.walk(20)
    assert not loop.healthy
    await clock.walk(20)
    await eventually(lambda: seen == [b"1", b"2"])

    assert bus.made == 2
    await eventually(lambda: loop.healthy)
    await loop.stop()
    await running


async def test_a_loop_that_no_restart_can_help_ends_with_an_error() -> None:
    clock = ManualClock()
    bus = DeafBus(partitions=1, clock=clock)
    bus.hears = [0] * 100
    producer = bus.producer()

    async def handle(_: list[Record]) -> None:
        raise AssertionError("a deaf consumer hands over nothing")

    loop = ReaderLoop(bus, topics=["t"], name="reader", handle=handle, clock=clock)
    running = asyncio.create_task(loop.run())
    await eventually(loop.caught_up.is_set)
    await producer.send(Message("t", b"k", b"1"))
    for _ in range(100):
        await clock.walk(5)
    assert running.done()
    with pytest.raises(Hung, match="reader stands still"):
        await running


async def test_an_idle_consumer_at_the_end_of_its_partitions_is_well() -> None:
    clock = ManualClock()
    bus = MemoryBus(partitions=1, clock=clock)

    async def handle(_: list[Record]) -> None:
        raise AssertionError("nothing was sent")

    loop = ReaderLoop(bus, topics=["t"], name="reader", handle=handle, clock=clock)
    running = asyncio.create_task(loop.run())
    await eventually(loop.caught_up.is_set)

    await clock.walk(600)

    assert loop.healthy
    await loop.stop()
    await running
