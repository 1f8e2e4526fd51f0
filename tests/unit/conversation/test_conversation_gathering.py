"""Commands of a shop are carried out together, and each has its own answer."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from kit.errors import Conflict
from kit.telemetry import current_trace, new_trace, traced
from services.conversation.gathering import Gathering
from services.conversation.turns import LINE_LIMIT, ShopBusy

pytestmark = pytest.mark.unit

SHOP = "s1"
PATIENT_S = 60.0


@dataclass
class Desk:
    """Doubles numbers, a group at a time, when the gate is open."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    groups: list[list[int]] = field(default_factory=list)
    poison: int | None = None
    failure: Exception | None = None
    traces: list[object] = field(default_factory=list)

    async def double(self, shop: str, take: Callable[[], Sequence[int]]) -> list[int | Exception]:
        assert shop == SHOP
        taken = take()
        self.groups.append([*taken])
        self.traces.append(current_trace())
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        if self.poison in taken:
            raise ValueError(self.poison)
        return [one * 2 if one >= 0 else Conflict() for one in taken]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def gathering(desk: Desk, *, wait_s: float = PATIENT_S) -> Gathering[int, int]:
    return Gathering(desk.double, together=50, wait_s=wait_s)


async def asked(ways: Gathering[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    """Ask for each of them and let them get as far as they can."""
    tasks = [asyncio.create_task(ways.carried_out(SHOP, one)) for one in numbers]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_whoever_comes_while_a_group_runs_is_in_the_next_one(desk: Desk) -> None:
    ways = gathering(desk)
    first = await asked(ways, 1)
    others = await asked(ways, *range(2, 100))

    desk.gate.set()

    assert await asyncio.gather(*first, *others) == [2 * one for one in range(1, 100)]
    assert desk.groups == [[1], [*range(2, 52)], [*range(52, 100)]]


async def test_whoever_comes_alone_waits_for_nobody(desk: Desk) -> None:
    desk.gate.set()
    ways = gathering(desk)

    assert [await ways.carried_out(SHOP, one) for one in (1, 2)] == [2, 4]
    assert desk.groups == [[1], [2]]


async def test_who_is_refused_is_refused_alone(desk: Desk) -> None:
    desk.gate.set()
    tasks = await asked(gathering(desk), 1, -1, 3)

    first, refused, last = await asyncio.gather(*tasks, return_exceptions=True)

    assert (first, last) == (2, 6)
    assert isinstance(refused, Conflict)
    assert desk.groups == [[1, -1, 3]]


async def test_who_fails_a_group_fails_alone(desk: Desk) -> None:
    desk.gate.set()
    desk.poison = 2
    tasks = await asked(gathering(desk), 1, 2, 3)

    first, failed, last = await asyncio.gather(*tasks, return_exceptions=True)

    assert (first, last) == (2, 6)
    assert isinstance(failed, ValueError)
    assert desk.groups == [[1, 2, 3], [1], [2], [3]]


async def test_a_busy_shop_is_told_to_all_who_wait_for_the_same_turn(desk: Desk) -> None:
    desk.failure = ShopBusy()
    ways = gathering(desk)
    first = await asked(ways, 1, 2)
    later = await asked(ways, 3)

    desk.gate.set()

    for one in (*first, *later):
        with pytest.raises(ShopBusy):
            await one
    assert desk.groups == [[1, 2], [3]]


async def test_whoever_leaves_before_his_group_is_not_carried_out(desk: Desk) -> None:
    ways = gathering(desk)
    first = await asked(ways, 1)
    others = await asked(ways, 2, 3)

    others[0].cancel()
    desk.gate.set()

    assert await asyncio.gather(*first, others[1]) == [2, 6]
    assert desk.groups == [[1], [3]]


async def test_whoever_leaves_his_group_keeps_nobody_from_his_answer(desk: Desk) -> None:
    tasks = await asked(gathering(desk), 1, 2)

    tasks[0].cancel()
    desk.gate.set()

    assert await tasks[1] == 4
    assert desk.groups == [[1, 2]]


async def test_nobody_waits_for_longer_than_a_turn_but_for_his_own_group(desk: Desk) -> None:
    ways = gathering(desk, wait_s=0.05)
    [first] = await asked(ways, 1)
    [second] = await asked(ways, 2)

    with pytest.raises(ShopBusy):
        await second
    desk.gate.set()

    assert await first == 2
    assert desk.groups == [[1]]


async def test_a_line_has_an_end(desk: Desk) -> None:
    ways = gathering(desk)
    first = await asked(ways, 0)
    waiting = await asked(ways, *range(LINE_LIMIT))

    with pytest.raises(ShopBusy):
        await ways.carried_out(SHOP, -1)

    desk.gate.set()
    await asyncio.gather(*first, *waiting)


async def test_a_group_is_told_under_the_trace_of_whoever_came_first(desk: Desk) -> None:
    desk.gate.set()
    ways, traces = gathering(desk), [new_trace() for _ in range(2)]
    for trace in traces:
        with traced(trace):
            await ways.carried_out(SHOP, 1)

    assert desk.traces == traces
