"""While partitions are folded, others run on the event loop in between."""

import asyncio
from itertools import count

import pytest

from contracts.people import ConversationId, PersonId, ShopId
from services.monitor.fold.engine import PartitionFold, Start
from services.monitor.fold.slices import HOLD_S, Slice
from services.monitor.measures import measures_of
from tests.integration.monitor.chats import NOON, Chat
from tests.unit.monitor.papers import Paper, rules

pytestmark = pytest.mark.unit

STEPS = 4
"""Records that are folded while the event loop is held at most, on this test's clock."""


async def test_small_parts_of_many_partitions_are_no_way_to_hold_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paper = Paper()
    talk = Chat(paper, ShopId("s"), PersonId("a"), ConversationId("c"), PersonId("b"), NOON)
    await talk.opened()
    for second in range(STEPS - 1):
        await talk.buyer(second)
    folds = [PartitionFold(Start(0, 0), measures_of(rules())()) for _ in range(6)]
    ticks = count()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: next(ticks) * HOLD_S / STEPS)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    turn = Slice()
    for fold in folds:
        await fold.fold(paper.records, turn=turn)
    running.cancel()

    assert turns >= len(folds)
