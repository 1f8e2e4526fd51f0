"""One answer for many who ask the same at once."""

import asyncio

import pytest

from kit.clock import ManualClock
from kit.web.shared import SharedAnswers

pytestmark = pytest.mark.unit


class Work:
    """What is worked out: its turns are counted, and it waits until it is let go on."""

    def __init__(self) -> None:
        self.done = 0
        self.may_end = asyncio.Event()
        self.fails = False

    async def __call__(self) -> bytes:
        await self.may_end.wait()
        self.done += 1
        if self.fails:
            raise ConnectionError
        return str(self.done).encode()


async def test_who_asks_meanwhile_is_given_the_same() -> None:
    shared, work = SharedAnswers(ManualClock(), kept_s=1.0), Work()
    asking = [asyncio.create_task(shared.of("key", work)) for _ in range(5)]
    await asyncio.sleep(0)

    work.may_end.set()

    assert await asyncio.gather(*asking) == [b"1"] * 5


async def test_it_is_worked_out_anew_when_its_time_is_over_and_for_another_key() -> None:
    clock, work = ManualClock(), Work()
    shared = SharedAnswers(clock, kept_s=1.0)
    work.may_end.set()

    first = await shared.of("key", work)
    clock.advance(0.9)
    again, other = await shared.of("key", work), await shared.of("another", work)
    clock.advance(0.2)

    assert (first, again, other, await shared.of("key", work)) == (b"1", b"1", b"2", b"3")


async def test_what_fails_is_not_kept_and_who_leaves_holds_nobody_up() -> None:
    shared, work = SharedAnswers(ManualClock(), kept_s=1.0), Work()
    leaving = asyncio.create_task(shared.of("key", work))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(shared.of("key", work))
    leaving.cancel()
    work.fails = True
    work.may_end.set()
    with pytest.raises(ConnectionError):
        await waiting
    work.fails = False

    assert await shared.of("key", work) == b"2"


async def test_no_more_is_kept_than_may_be() -> None:
    shared, work = SharedAnswers(ManualClock(), kept_s=60.0, most=3), Work()
    work.may_end.set()

    for key in range(10):
        await shared.of(key, work)

    assert await shared.of(9, work) == b"10"
    assert await shared.of(0, work) == b"11"


async def test_what_is_over_is_not_kept() -> None:
    clock, work = ManualClock(), Work()
    shared = SharedAnswers(clock, kept_s=1.0)
    work.may_end.set()
    for key in range(10):
        await shared.of(key, work)
    assert len(shared) == 10

    clock.advance(1.1)
    await shared.of(3, work)
    clock.advance(0.6)
    await shared.of("another", work)

    assert len(shared) == 2


async def test_what_fails_leaves_nothing_behind() -> None:
    shared, work = SharedAnswers(ManualClock(), kept_s=1.0), Work()
    work.fails = True
    work.may_end.set()

    for key in range(10):
        with pytest.raises(ConnectionError):
            await shared.of(key, work)

    assert len(shared) == 0
