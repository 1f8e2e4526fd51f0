"""Folded through a moment: what hangs on it keeps its time while records never stop (H31)."""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts.monitor import WaitingThresholdPassed
from contracts.topics import ALERTS, BOARD, CHAT
from profiles import SHIPPED
from tests.integration.monitor.chats import Chat, talking
from tests.integration.monitor.rig import Monitor, Rig, Shop, boards_of
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

FIRST_S, SECOND_S = 2, 3
"""Thresholds as far apart as the golden case's 20 s and 30 s are long: nobody waits half a minute
for the same answer."""

PER_S = 50


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped profiles with thresholds that come soon."""
    folder = tmp_path_factory.mktemp("profiles")
    for path in SHIPPED.glob("*.toml"):
        soon = f"thresholds_s = [{FIRST_S}, {SECOND_S}]"
        told = re.sub(r"thresholds_s = \[.*\]", soon, path.read_text(encoding="utf-8"))
        (folder / path.name).write_text(told, encoding="utf-8")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def monitor(rig: Rig, quick: Path) -> AsyncIterator[Monitor]:
    """One monitor that runs as long as the module."""
    async with rig.monitor(profiles_folder=str(quick)) as started:
        yield started


async def beside(rig: Rig, shop: Shop, chat: Chat) -> Chat:
    """Return another conversation of the same partition."""
    place = await rig.producer.partition_for(CHAT.name, chat.id.encode())
    while True:
        other = shop.chat("ben", start=chat.start)
        if await rig.producer.partition_for(CHAT.name, other.id.encode()) == place:
            return await other.opened()


def fired_for(seen: Sequence[object], chat: Chat) -> list[WaitingThresholdPassed]:
    return [
        event
        for event in seen
        if isinstance(event, WaitingThresholdPassed) and event.conversation_id == chat.id
    ]


async def test_case_19_thresholds_fire_once_and_in_time_while_records_never_stop(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon(profiles=("qiyu",))
    start = await rig.now()
    waits = await shop.chat(start=start).opened()
    busy = await beside(rig, shop, waits)
    async with rig.watching(ALERTS.name) as alerts, rig.watching(BOARD.name) as boards:
        async with talking(busy, per_s=PER_S):
            await eventually(
                lambda: any(board.messages > PER_S for board in boards_of(boards, shop)),
                what="a second of traffic",
            )
            before = len(boards)
            await waits.buyer((datetime.now(UTC) - start).total_seconds())
            await eventually(
                lambda: any(a.threshold_s == SECOND_S for a in fired_for(alerts, waits)),
                within=SECOND_S + 10,
                what="the second alert",
            )
            await eventually(
                lambda: len(boards_of(boards[before:], shop)) > SECOND_S,
                what="boards that go on coming",
            )
            steady = boards_of(boards[before:], shop)
        await rig.folded()

    fired = fired_for(alerts, waits)
    assert [alert.threshold_s for alert in fired] == [FIRST_S, SECOND_S]
    assert [alert.late_ms for alert in fired if alert.late_ms > 1_000] == []
    assert [board.delayed_ms for board in steady if board.delayed_ms] == []


async def test_an_answer_in_time_is_never_followed_by_an_alert_under_traffic(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon(profiles=("qiyu",))
    start = await rig.now()
    waits = await shop.chat(start=start).opened()
    busy = await beside(rig, shop, waits)
    async with rig.watching(ALERTS.name) as alerts:
        async with talking(busy, per_s=PER_S):
            at = (datetime.now(UTC) - start).total_seconds()
            await waits.buyer(at - FIRST_S + 1)  # due in a second
            await waits.agent(at + 0.9)
            later = await shop.chat(start=start).opened()
            await later.buyer(at - FIRST_S + 1.5)
            await eventually(lambda: fired_for(alerts, later), what="a later wait's alert")
        await rig.folded()

    assert fired_for(alerts, waits) == []


async def test_a_threshold_that_could_not_be_stored_is_told_once_it_can_be(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon(profiles=("qiyu",))
    start = await rig.now()
    waits = await shop.chat(start=start).opened()
    async with rig.watching(ALERTS.name) as alerts:
        async with rig.database.write_across("another writer") as session:
            await session.execute(text("lock table firings in exclusive mode"))
            await waits.buyer((datetime.now(UTC) - start).total_seconds())
            # Longer than a statement may take behind the first threshold.
            over = datetime.now(UTC) + timedelta(seconds=FIRST_S + 6)
            await eventually(lambda: datetime.now(UTC) > over, within=FIRST_S + 10)
            assert fired_for(alerts, waits) == []
        await eventually(lambda: len(fired_for(alerts, waits)) == 2, what="both alerts")
        await rig.folded()

    assert [alert.threshold_s for alert in fired_for(alerts, waits)] == [FIRST_S, SECOND_S]
