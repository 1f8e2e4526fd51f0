"""A wait that somebody else ends, also in the very moment in which its own time is up."""

import asyncio
import time

import pytest

from kit.bus.waking import Wakeable

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]


async def test_who_wakes_a_wait_whose_time_is_up_in_the_same_turn_does_no_harm() -> None:
    loop, wakeable, never = asyncio.get_running_loop(), Wakeable(), asyncio.Event()
    waiting = asyncio.create_task(wakeable.waits(never.wait(), 0.01))
    await asyncio.sleep(0)
    woken: list[BaseException | None] = []

    def wake() -> None:
        try:
            wakeable.wake()
        except RuntimeError as error:
            woken.append(error)
        else:
            woken.append(None)

    loop.call_later(0.02, wake)
    time.sleep(0.05)  # noqa: ASYNC251 - a loop that is held up: both timers are due in one turn

    assert await waiting is None
    assert woken == [None]
