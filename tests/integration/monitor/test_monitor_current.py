"""How far boards are current is told, also where nothing happens."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from contracts.base import Event
from contracts.monitor import BoardsCurrent, board_share
from contracts.topics import BOARD
from services.monitor.boards.domain import MARK_MS
from tests.integration.monitor.rig import Rig, Shop, boards_of
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

OLD_S = 8.0
"""Who heard no mark for so long says that figures are not current."""


def marks_of(seen: Sequence[Event], shop: Shop) -> list[BoardsCurrent]:
    """Return the marks of a shop's share."""
    marks = [one for one in seen if isinstance(one, BoardsCurrent)]
    return [one for one in marks if board_share(shop.id, one.of) in one.shares]


def is_current(seen: Sequence[Event], shop: Shop) -> Callable[[], bool]:
    """Tell whether a mark says that the shop's board is current by now."""
    since = datetime.now(UTC)
    return lambda: any(mark.through >= since for mark in marks_of(seen, shop))


async def test_a_quiet_shops_board_is_said_to_be_current_as_long_as_a_monitor_lives(
    rig: Rig,
) -> None:
    shop = await rig.shop().listed()
    async with rig.watching(BOARD.name) as seen:
        async with rig.monitor():
            chat = await shop.chat().opened()
            await chat.buyer(0)
            await chat.agent(10)
            await rig.folded()
            await eventually(is_current(seen, shop), within=20)
            boards = len(boards_of(seen, shop))
            for _ in range(3):
                began = time.monotonic()
                await eventually(is_current(seen, shop), within=20)
                assert time.monotonic() - began < OLD_S
            # Marks alone: nobody pays for a board that shows nothing new.
            assert len(boards_of(seen, shop)) == boards
        await asyncio.sleep(0.5)  # what was on its way has come
        said = len(marks_of(seen, shop))
        await asyncio.sleep(3)
        assert len(marks_of(seen, shop)) == said

        async with rig.monitor():
            await eventually(is_current(seen, shop), within=20)


async def test_boards_are_as_current_as_what_was_folded_of_every_partition(rig: Rig) -> None:
    shop = await rig.shop().listed()
    async with rig.watching(BOARD.name) as seen, rig.monitor() as monitor:
        await (await shop.chat().opened()).buyer(0)
        await rig.folded()
        await eventually(is_current(seen, shop), within=20)
        # A partition that nobody folds any more, as after the loss of its leader.
        behind = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        await rig.change(
            "insert into partitions (partition, watermark_ms, log_ms, caught_up_ms)"
            " values (4711, 0, 0, :behind)",
            behind=round(behind.timestamp() * 1000),
        )
        before = len(marks_of(seen, shop))
        await eventually(lambda: len(marks_of(seen, shop)) >= before + 2, within=20)
        answer = await monitor.get("/v1/monitor/board", shop.token(), shop=shop.id)
        await rig.change("delete from partitions where partition = 4711")
        last = marks_of(seen, shop)[-1]
        await eventually(is_current(seen, shop), within=20)

    assert last.through == behind
    assert answer.json()["delayed_ms"] >= 3_600_000


async def test_of_two_monitors_one_looks_after_a_board_and_the_other_follows(rig: Rig) -> None:
    shop = await rig.shop().listed()
    async with rig.watching(BOARD.name) as seen, rig.monitor():
        async with rig.monitor():
            await (await shop.chat().opened()).buyer(0)
            await rig.folded()
            await eventually(is_current(seen, shop), within=20)
            # One holds a share: each moment is told of once. Two who told, each as it probes, would
            # together get through as many marks in half the time.
            before = len(marks_of(seen, shop))
            await eventually(lambda: len(marks_of(seen, shop)) >= before + 5, within=40)
            at_once = marks_of(seen, shop)[before : before + 5]
            assert at_once[-1].time - at_once[0].time > 3 * timedelta(milliseconds=MARK_MS)
        await eventually(is_current(seen, shop), within=40)
