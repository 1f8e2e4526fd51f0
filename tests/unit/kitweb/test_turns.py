"""Who may do something costly next (attack table, row 61)."""

import asyncio

import pytest

from kit.errors import TooMany, Unavailable
from kit.web.turns import LINE_LIMIT, WAITING_LIMIT, Turns

pytestmark = pytest.mark.unit


class Workshop:
    """Callers who hold a turn until they are told to let go of it."""

    def __init__(self, at_once: int = 1) -> None:
        self.turns = Turns(at_once)
        self.working: list[str] = []
        self.go_on = asyncio.Semaphore(0)
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, *callers: str) -> list[asyncio.Task[None]]:
        """Let some come, in this order; return when each works or waits."""
        come = [asyncio.create_task(self._work(caller)) for caller in callers]
        self.tasks += come
        await asyncio.sleep(0)
        return come

    async def finish(self, count: int) -> None:
        """Let some end, one after the other."""
        for _ in range(count):
            self.go_on.release()
            for _ in range(5):
                await asyncio.sleep(0)

    async def _work(self, caller: str) -> None:
        async with self.turns.turn(caller):
            self.working.append(caller)
            await self.go_on.acquire()


async def test_few_work_at_once() -> None:
    shop = Workshop(at_once=2)
    await shop.come("a", "b", "c", "d")
    assert shop.working == ["a", "b"]
    await shop.finish(4)
    assert shop.working == ["a", "b", "c", "d"]


async def test_a_crowd_of_one_caller_does_not_go_before_another() -> None:
    shop = Workshop()
    await shop.come(*["crowd"] * 20, "honest")
    await shop.finish(2)
    assert shop.working == ["crowd", "crowd", "honest"]
    await shop.finish(19)
    assert shop.working.count("crowd") == 20


async def test_a_callers_line_is_bounded() -> None:
    shop = Workshop()
    await shop.come(*["crowd"] * (LINE_LIMIT + 1))
    with pytest.raises(TooMany):
        async with shop.turns.turn("crowd"):
            raise AssertionError("no room in the line")
    with pytest.raises(TooMany):
        async with shop.turns.turn("crowd", line=2):
            raise AssertionError("no room in the line")
    await shop.come("honest")
    await shop.finish(2)
    assert "honest" in shop.working
    await shop.finish(LINE_LIMIT)


async def test_all_lines_together_are_bounded() -> None:
    shop = Workshop()
    callers = [f"caller {number}" for number in range(WAITING_LIMIT + 1)]
    await shop.come(*callers)
    with pytest.raises(Unavailable):
        async with shop.turns.turn("one more"):
            raise AssertionError("no room at all")
    await shop.finish(WAITING_LIMIT + 1)
    assert shop.working == callers


async def test_who_leaves_the_line_has_no_turn_and_takes_none_from_others() -> None:
    shop = Workshop()
    _, leaving, *_ = await shop.come("a", "b", "c")
    leaving.cancel()
    await shop.finish(2)
    assert shop.working == ["a", "c"]
    assert shop.turns._waiting == 0


@pytest.mark.parametrize("steps", range(5))
async def test_no_moment_of_leaving_loses_a_turn(steps: int) -> None:
    shop = Workshop()
    _, leaving, *_ = await shop.come("a", "b", "c")
    shop.go_on.release()
    for _ in range(steps):
        await asyncio.sleep(0)
    leaving.cancel()
    await shop.finish(3)
    await asyncio.gather(*shop.tasks, return_exceptions=True)
    assert shop.working[-1] == "c"
    assert (shop.turns._free, shop.turns._waiting, dict(shop.turns._lines)) == (1, 0, {})
