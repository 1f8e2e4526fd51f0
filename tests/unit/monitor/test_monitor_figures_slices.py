"""Many rows of figures are put together in slices: whatever else the process does goes on."""

import asyncio

import pytest

from contracts.people import PersonId, ShopId
from services.monitor.figures.layout import AT_ONCE, Found, put_together
from services.monitor.figures.repository import Asked, RoundTotals, RowKey, SessionTotals
from services.monitor.profiles.domain import ProfileName
from services.monitor.response.domain import Score

pytestmark = pytest.mark.unit

SLICES = 6
DAY_MS = 86_400_000


async def test_the_event_loop_turns_between_slices_of_rows() -> None:
    count = SLICES * AT_ONCE
    parts = range(0, count * DAY_MS, DAY_MS)
    question = Asked(ShopId("s"), ProfileName("p"), 0, count * DAY_MS, parts=parts)
    keys = [RowKey(part, PersonId("a")) for part in range(count, 0, -1)]
    rounds = {key: RoundTotals(key, Score(rounds=1)) for key in keys}
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(turn())
    sessions = {RowKey(1, None): SessionTotals(Score(sessions=2))}
    rows = await put_together(question, Found(rounds, sessions))
    beside.cancel()

    assert turns >= SLICES
    assert [(rows[0].agent_id, rows[0].sessions), (rows[1].agent_id, rows[1].rounds)] == [
        (None, 2),
        ("a", 1),
    ]
    assert len(rows) == count + 1
    starts = [row.start for row in rows]
    assert starts == sorted(starts, key=lambda start: start.timestamp() if start else 0.0)
