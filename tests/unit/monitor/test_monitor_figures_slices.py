"""Many rows of figures are put together in slices: whatever else the process does goes on."""

import asyncio

import pytest

from contracts.people import PersonId, ShopId
from services.monitor.figures.repository import Asked, RoundTotals, RowKey, Spread
from services.monitor.figures.service import AT_ONCE, put_together
from services.monitor.profiles.domain import ProfileName
from services.monitor.response.domain import Score

pytestmark = pytest.mark.unit

SLICES = 6
DAY_MS = 86_400_000


async def test_the_event_loop_turns_between_slices_of_rows() -> None:
    count = SLICES * AT_ONCE
    parts = range(0, count * DAY_MS, DAY_MS)
    question = Asked(ShopId("s"), ProfileName("p"), 0, count * DAY_MS, parts=parts)
    spread = Spread(1, 1, 1, 1)
    rounds = [
        RoundTotals(RowKey(part, PersonId("a")), Score(rounds=1), spread, 1, 0, 0)
        for part in range(count, 0, -1)
    ]
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(turn())
    rows = await put_together(question, rounds, {RowKey(1, None): Score(sessions=2)})
    beside.cancel()

    assert turns >= SLICES
    assert [(rows[0].agent_id, rows[0].sessions), (rows[1].agent_id, rows[1].rounds)] == [
        (None, 2),
        ("a", 1),
    ]
    assert len(rows) == count + 1
    starts = [row.start for row in rows]
    assert starts == sorted(starts, key=lambda start: start.timestamp() if start else 0.0)
