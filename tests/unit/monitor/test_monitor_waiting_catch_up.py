"""A long catch-up leaves nothing on the wheel but the waits that still stand at its end."""

import asyncio
from datetime import UTC, datetime

import pytest
from typing_extensions import override

from contracts.people import ConversationId, PersonId
from kit.clock import ManualClock
from kit.postgres import Database
from services.monitor.fold.engine import PartitionFold, Start
from services.monitor.fold.service import Fence
from services.monitor.measures import measures_of
from services.monitor.waiting import waits
from services.monitor.waiting.service import Thresholds
from services.monitor.waiting.wheel import Due, Wheel
from tests.integration.monitor.chats import Chat
from tests.unit.monitor.papers import SHOP, Paper, rules

pytestmark = pytest.mark.unit

START = datetime(2026, 11, 11, 4, tzinfo=UTC)
START_MS = round(START.timestamp() * 1000)
BATCH = 20


def test_only_waits_that_stand_when_it_has_caught_up_are_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched: list[str] = []

    class Seen(Wheel):
        @override
        def put(self, due: Due) -> None:
            watched.append(due.conversation_id)
            super().put(due)

    monkeypatch.setattr(waits, "Wheel", Seen)

    async def caught_up() -> None:
        paper, asked = Paper(), rules()
        for n in range(50):
            chat = Chat(paper, SHOP, PersonId("anne"), ConversationId(f"c{n}"),
                        PersonId(f"b{n}"), START)  # fmt: skip
            await chat.opened()
            await chat.buyer(n)
            await chat.buyer(n + 1)
            if n != 49:
                await chat.agent(n + 3)
        fold = PartitionFold(Start(0, 0), measures_of(asked)())
        # Nothing falls due here, so nothing is stored: nobody answers at that address.
        away = Database("postgresql://nobody@127.0.0.1:1/none", schema="monitor")
        thresholds = Thresholds(away, asked, clock=ManualClock(START))
        for first in range(0, len(paper.records), BATCH):
            batch = await fold.fold(paper.records[first : first + BATCH])
            thresholds.folded(fold, batch.waits)
        assert watched == []

        moment, fence = {fold: START_MS + 50_000}, Fence(1, {0: fold.next_offset})
        await thresholds.through(moment, fence)
        assert set(watched) == {"c49"}

        late = Chat(paper, SHOP, PersonId("ben"), ConversationId("later"), PersonId("x"), START)
        await late.buyer(55)
        batch = await fold.fold(paper.records[fold.next_offset :])
        thresholds.folded(fold, batch.waits)
        assert set(watched) == {"c49", "later"}

    asyncio.run(caught_up())
