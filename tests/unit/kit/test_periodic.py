"""Periodic work goes on while others are away, keeps its pace, and ends when asked."""

import asyncio

import pytest
from structlog.testing import capture_logs

from kit.clock import ManualClock
from kit.errors import Unavailable
from kit.periodic import Periodic
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.unit


class Work:
    def __init__(self, *failures: Exception) -> None:
        self.calls = 0
        self._failures = list(failures)

    async def __call__(self) -> None:
        self.calls += 1
        if self._failures:
            raise self._failures.pop(0)


async def test_work_is_done_at_once_and_then_at_its_pace() -> None:
    clock, work = ManualClock(), Work()
    role = Periodic("work", work, every_s=10, clock=clock)
    running = asyncio.create_task(role.run())

    await clock.walk(25)
    assert work.calls == 3

    await role.stop()
    await asyncio.wait_for(running, PATIENCE_S)


async def test_work_goes_on_when_what_it_leans_on_is_back() -> None:
    clock, work = ManualClock(), Work(Unavailable(), Unavailable())
    role = Periodic("work", work, every_s=1, clock=clock)
    running = asyncio.create_task(role.run())

    await clock.walk(3)

    assert work.calls == 4
    await role.stop()
    await asyncio.wait_for(running, PATIENCE_S)


async def test_an_outage_is_told_of_once_and_its_end_too() -> None:
    clock, work = ManualClock(), Work(Unavailable(), Unavailable(), Unavailable())
    role = Periodic("board", work, every_s=1, clock=clock)

    with capture_logs() as told:
        running = asyncio.create_task(role.run())
        await clock.walk(5)
        await role.stop()
        await asyncio.wait_for(running, PATIENCE_S)

    assert [(line["event"], line["work"]) for line in told] == [
        ("periodic.away", "board"),
        ("periodic.back", "board"),
    ]


async def test_a_bug_ends_the_role() -> None:
    role = Periodic("work", Work(ZeroDivisionError()), every_s=1, clock=ManualClock())

    with pytest.raises(ZeroDivisionError):
        await role.run()


async def test_work_with_nothing_to_do_is_called_less_often_until_there_is_something() -> None:
    clock, due = ManualClock(), list[bool]()
    calls = list[float]()

    async def look() -> bool:
        calls.append(clock.monotonic())
        return bool(due)

    role = Periodic("work", look, every_s=1, calm_s=5, clock=clock)
    running = asyncio.create_task(role.run())
    began = clock.monotonic()

    await clock.walk(20)
    assert [at - began for at in calls] == [*range(10), 14, 19]

    due.append(True)
    calls.clear()
    await clock.walk(7)
    assert [at - began for at in calls] == [24, 25, 26, 27]
    await role.stop()
    await asyncio.wait_for(running, PATIENCE_S)
