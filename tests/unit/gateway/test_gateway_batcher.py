"""Messages go to the broker together where many come, and at once where few do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from kit.bus.memory import MemoryBus
from kit.bus.ports import Message, Position, Producer
from kit.clock import ManualClock
from services.gateway.inbound.batcher import RATE_S, Batcher, Tick

pytestmark = pytest.mark.unit

TICK_S = 0.005


def tick_at(rate: float) -> float:
    """Return the wait after a while at this rate, in hand-overs of every 10 ms."""
    tick = Tick(TICK_S)
    for number in range(1, 401):
        tick.over(round(rate * 0.01), number * 0.01)
    return tick.seconds


@pytest.mark.parametrize(
    ("rate", "waited"),
    [(0, 0), (100, 0), (200, 0.00125), (400, 0.0025), (800, TICK_S), (5_000, TICK_S)],
)
def test_the_fewer_come_the_less_is_waited(rate: float, waited: float) -> None:
    assert tick_at(rate) == pytest.approx(waited, rel=0.01)


def test_who_comes_after_a_silence_waits_for_nobody() -> None:
    tick = Tick(TICK_S)
    for number in range(1, 401):
        tick.over(20, number * 0.01)
    tick.over(1, 4.0 + 2 * RATE_S)

    assert tick.seconds == 0


def test_a_rush_is_noticed_within_half_a_second() -> None:
    tick = Tick(TICK_S)
    tick.over(1, 100.0)
    for number in range(1, 51):
        tick.over(20, 100.0 + number * 0.01)

    assert tick.seconds == TICK_S


def test_a_gateway_that_is_told_to_wait_for_nobody_does_not() -> None:
    tick = Tick(0)
    for number in range(1, 101):
        tick.over(100, number * 0.01)

    assert tick.seconds == 0


class Counted:
    """The in-memory bus's producer, and how many messages each hand-over brought."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self.brought: list[int] = []

    async def send_all(self, messages: list[Message]) -> list["asyncio.Future[Position]"]:
        """Pass on."""
        self.brought.append(len(messages))
        return await self._producer.send_all(messages)


@asynccontextmanager
async def running(batcher: Batcher) -> AsyncIterator[None]:
    """Let it run for the block."""
    task = asyncio.create_task(batcher.run())
    yield
    await batcher.stop()
    await task


async def test_on_a_quiet_gateway_a_message_goes_at_once_and_a_crowd_goes_together() -> None:
    clock = ManualClock()
    bus = MemoryBus(partitions=4, clock=clock)
    producer = Counted(bus.producer())
    batcher = Batcher(cast("Producer", producer), clock, tick_s=TICK_S)
    told: list[int] = []

    def say(number: int) -> None:
        message = Message("chat", b"c", str(number).encode())
        assert batcher.add(message, lambda answer: told.append(answer.result().offset))

    async with running(batcher):
        say(0)
        await clock.walk(0)
        assert (producer.brought, told) == ([1], [0])

        for number in range(1, 1_001):
            say(number)
            await clock.walk(0.001)
        await clock.walk(TICK_S)
        assert told == list(range(1_001))
        assert max(producer.brought) >= 5
        assert len(producer.brought) < 400
