"""What a client that sends again counts as carried, and what as too late."""

import asyncio

import pytest

from rehearsal.streams import Answer
from tests.load.overload import PATIENCE_S, Tally

pytestmark = pytest.mark.unit


async def answered(tally: Tally, number: int, answer: Answer, *, due: float) -> None:
    future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    future.set_result(answer)
    tally.answered(number, due, future)


async def test_goodput_is_what_was_acknowledged_while_people_waited() -> None:
    tally = Tally(first=10, now=lambda: 100.0)

    await answered(tally, 9, Answer(None), due=99.0)
    await answered(tally, 10, Answer(None), due=100.0 - PATIENCE_S)
    await answered(tally, 11, Answer(None), due=99.9 - PATIENCE_S)
    await answered(tally, 12, Answer("blocked"), due=99.0)

    assert [tally.in_time, tally.late, tally.refused] == [1, 1, {"blocked": 1}]
