"""A shop gone silent: all that is not settled counts in the figures, and blocks nobody."""

import asyncio
import gc
import itertools
import time
from datetime import timedelta

import pytest

from contracts.conversation import ShopListed
from kit.clock import ManualClock
from services.monitor.boards.service import Boards
from services.monitor.directory.rules import Rules
from services.monitor.figures.schemas import FiguresQuery
from services.monitor.figures.service import FigureReader
from tests.integration.monitor.chats import NOON
from tests.integration.monitor.rig import Rig, Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

MANY = 10_500
CAUGHT_UP = (
    "select 1 from conversations join partitions using (partition)"
    " where unsettled and shop_id = :shop and caught_up_ms > log_ms"
)


async def asked(rig: Rig, shop: Shop) -> None:
    """Let a buyer ask, and the monitor find that the day is over for him."""
    async with rig.monitor():
        chat = await shop.chat().opened()
        await chat.buyer(0)
        await rig.folded()

        async def caught_up() -> bool:
            return bool(await rig.rows(CAUGHT_UP, shop=shop.id))

        await eventually(caught_up, what="the day is over for the partition")


async def silent(rig: Rig) -> Shop:
    """Return a shop of which so many conversations are not settled, all alike."""
    shop = await rig.shop().listed()
    await asked(rig, shop)
    await rig.change(
        """
        insert into conversations (conversation_id, generation, partition, shop_id, open, owner,
            waiting_ms, unsettled, oldest_round_ms, forget_ms, state)
        select conversation_id || '-' || n, generation, partition, shop_id, open, owner,
            waiting_ms, unsettled, oldest_round_ms, forget_ms, state
        from conversations, generate_series(2, :many) as n where shop_id = :shop
        """,
        shop=shop.id,
        many=MANY,
    )
    return shop


async def test_a_board_counts_whose_session_a_silence_ended_though_he_waits(rig: Rig) -> None:
    shop, rules = rig.shop(), Rules.from_settings(rig.settings, rig.settings.open_lexicon())
    await asked(rig, shop)
    rules.directory.list_shop(
        ShopListed(
            id="listed", time=NOON, shop_id=shop.id, name="", version=1, profiles=("kuaimai",)
        )
    )
    boards = Boards(rig.database, rules, clock=ManualClock(NOON + timedelta(hours=1)), ids=rig.ids)

    [figures] = (await boards.read(shop.id)).figures

    assert (figures.profile, figures.unanswered, figures.sessions) == ("kuaimai", 1, 1)


async def test_figures_count_every_open_round_and_let_others_run_meanwhile(rig: Rig) -> None:
    shop = await silent(rig)
    rules = Rules.from_settings(rig.settings, rig.settings.open_lexicon())
    turns: list[float] = []

    async def others() -> None:
        while True:
            turns.append(time.thread_time())  # of this thread alone: others may have the core
            await asyncio.sleep(0.001)

    running = asyncio.create_task(others())
    query = FiguresQuery.model_validate(
        {"shop": shop.id, "profile": "taobao_2022", "from": "2026-11-11", "to": "2026-11-12"}
    )
    gc.disable()  # going through what a whole run has left behind takes a fifth of a second
    try:
        figures = await FigureReader(rig.database, rules).read(shop.id, query)
    finally:
        gc.enable()
    running.cancel()

    assert sum(row.unanswered for row in figures.rows) == MANY
    longest = max(later - earlier for earlier, later in itertools.pairwise(turns))
    assert longest < (turns[-1] - turns[0]) / 4
