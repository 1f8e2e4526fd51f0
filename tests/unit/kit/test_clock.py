"""Time that tests move by hand."""

import asyncio
from datetime import UTC, datetime

import pytest

from kit.clock import ManualClock, SystemClock

pytestmark = pytest.mark.unit


async def test_sleepers_wake_in_the_order_of_their_due_times() -> None:
    clock = ManualClock()
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async with asyncio.TaskGroup() as group:
        for name, seconds in (("late", 3.0), ("early", 1.0), ("middle", 2.0)):
            group.create_task(sleeper(name, seconds))
        await asyncio.sleep(0)
        assert clock.sleepers == 3
        clock.advance(10)

    assert woken == ["early", "middle", "late"]


async def test_walking_lets_a_sleeper_sleep_again_at_every_step() -> None:
    clock = ManualClock()
    ticks: list[float] = []

    async def ticking() -> None:
        while True:
            await clock.sleep(1)
            ticks.append(clock.monotonic())

    task = asyncio.create_task(ticking())
    await clock.walk(3.5)
    task.cancel()

    assert ticks == [1.0, 2.0, 3.0]
    assert clock.monotonic() == 3.5


async def test_a_jump_wakes_once_however_far_it_goes() -> None:
    clock = ManualClock()
    sleeping = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)

    clock.advance(0.5)
    await asyncio.sleep(0)
    assert not sleeping.done()
    clock.advance(100)

    await sleeping


def test_wall_time_follows_the_hand() -> None:
    clock = ManualClock(datetime(2026, 11, 11, tzinfo=UTC))

    clock.advance(1.25)

    assert clock.now() == datetime(2026, 11, 11, 0, 0, 1, 250_000, tzinfo=UTC)
    assert clock.now_ms() == 1_794_355_201_250


def test_the_system_clock_is_aware_and_agrees_with_itself() -> None:
    clock = SystemClock()

    assert clock.now().utcoffset() is not None
    assert abs(clock.now().timestamp() * 1000 - clock.now_ms()) < 1000
    assert clock.monotonic() <= clock.monotonic()
