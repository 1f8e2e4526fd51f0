"""A shop's board at its midnight, and while the broker is silent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from contracts import decode
from contracts.conversation import ShopListed
from contracts.monitor import BoardPublished, BoardTotals
from contracts.topics import BOARD
from kit.bus.memory import MemoryBus
from kit.bus.ports import Producer
from kit.clock import ManualClock
from kit.errors import Unavailable
from kit.leases import Leases
from services.monitor.boards import publishing as boards_publishing
from services.monitor.boards.domain import RENEWED_AT_ONCE
from services.monitor.boards.publishing import Publisher
from services.monitor.boards.service import Boards
from services.monitor.directory.rules import Rules
from tests.integration.monitor.chats import NOON
from tests.integration.monitor.rig import Rig, Shop, boards_of
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

HALF_A_DAY_S = 43_200
BEFORE_S = 60
INTERVAL_MS = 500


async def answered(rig: Rig, *shops: Shop) -> None:
    """Let a buyer of each shop ask at noon and get an answer, and everything be folded."""
    async with rig.monitor():
        for shop in shops:
            await shop.listed()
            chat = await shop.chat().opened()
            await chat.buyer(0)
            await chat.agent(10)
        await rig.folded()
    # No board is delayed at noon, whatever time it is where the test runs.
    ahead = round((NOON + timedelta(days=2)).timestamp() * 1000)
    await rig.change("update partitions set caught_up_ms = :ahead", ahead=ahead)


@asynccontextmanager
async def publishing(
    rig: Rig, clock: ManualClock, *shops: Shop, producer: Producer | None = None
) -> AsyncIterator[Publisher]:
    """Have what publishes boards, on a clock that is moved by hand."""
    rules = Rules.from_settings(rig.settings, rig.settings.open_lexicon())
    for shop in shops:
        rules.directory.list_shop(
            ShopListed(id=rig.ids.new(), time=NOON, shop_id=shop.id, name="小店", version=1)
        )
    leases = Leases(rig.database)
    boards = Boards(rig.database, rules, clock=clock, ids=rig.ids)
    try:
        yield Publisher(
            boards,
            leases,
            producer or rig.producer,
            clock=clock,
            ids=rig.ids,
            interval_ms=INTERVAL_MS,
        )
    finally:
        await leases.close()


async def test_a_quiet_shops_board_begins_anew_at_midnight_though_nobody_writes(rig: Rig) -> None:
    shop, clock = rig.shop(), ManualClock(NOON + timedelta(seconds=HALF_A_DAY_S - BEFORE_S))
    await answered(rig, shop)

    async with rig.watching(BOARD.name) as seen, publishing(rig, clock, shop) as publisher:
        while await publisher.publish_due():
            pass
        await clock.walk(BEFORE_S - 1)
        still_today = await publisher.publish_due()
        await clock.walk(1)
        turned = await publisher.publish_due()
        await clock.walk(BEFORE_S)
        afterwards = await publisher.publish_due()
        await eventually(lambda: len(boards_of(seen, shop)) == 2, what="both boards")

    yesterday, today = boards_of(seen, shop)
    assert (still_today, turned, afterwards) == (0, 1, 0)
    assert (yesterday.messages, today.messages) == (2, 0)
    assert [figures.rounds for figures in yesterday.figures] == [1] * len(yesterday.figures)
    assert [figures.rounds for figures in today.figures] == [0] * len(today.figures)
    assert today.as_of == NOON + timedelta(seconds=HALF_A_DAY_S)


async def test_at_midnight_a_busy_shop_waits_for_no_quiet_one(rig: Rig) -> None:
    clock = ManualClock(NOON + timedelta(seconds=HALF_A_DAY_S - 1))
    quiet = [rig.shop() for _ in range(RENEWED_AT_ONCE + 5)]
    busy = rig.shop()
    await answered(rig, *quiet, busy)

    async with rig.watching(BOARD.name) as seen, publishing(rig, clock, *quiet, busy) as publisher:
        while await publisher.publish_due():
            pass
        await eventually(
            lambda: all(boards_of(seen, shop) for shop in (*quiet, busy)), what="all boards"
        )
        before = len(seen)
        await rig.change(
            "update traffic set revision = revision + 1 where shop_id = :shop", shop=busy.id
        )
        await clock.walk(1)
        at_once = await publisher.publish_due()
        await eventually(
            lambda: sum(isinstance(one, BoardPublished) for one in seen[before:]) == at_once,
            what="the first boards",
        )
        first = seen[before:]  # of several partitions: in no order
        await publisher.publish_due()
        await eventually(
            lambda: all(boards_of(seen[before:], shop) for shop in quiet), what="all boards"
        )

    assert at_once == 1 + RENEWED_AT_ONCE
    assert len(boards_of(first, busy)) == 1


async def test_what_a_silent_broker_did_not_take_is_told_once_it_answers(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, clock, bus = rig.shop(), ManualClock(NOON), MemoryBus(partitions=1)
    await answered(rig, shop)
    monkeypatch.setattr(boards_publishing, "ACKED_S", 0.05)

    async with publishing(rig, clock, shop, producer=bus.producer()) as publisher:
        bus.withhold_acks()
        # What works now and then is told that something is away, and nothing ends.
        with pytest.raises(Unavailable):
            await publisher.publish_due()
        bus.lose()
        await clock.walk(1)
        while await publisher.publish_due():
            pass

    events = [decode(record) for record in bus.records(BOARD.name)]
    assert len(boards_of(events, shop)) == 1
    assert any(isinstance(one, BoardTotals) and one.shop_id == shop.id for one in events)
