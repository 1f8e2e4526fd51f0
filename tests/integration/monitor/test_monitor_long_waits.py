"""Before the breach, on real Kafka and PostgreSQL: conversation is told once (N15, N16)."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from contracts.handoffs import HandoffDue
from contracts.topics import ALERTS
from tests.integration.monitor.chats import Chat
from tests.integration.monitor.rig import Monitor, Rig
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


def due_for(seen: Sequence[object], chat: Chat) -> list[HandoffDue]:
    return [one for one in seen if isinstance(one, HandoffDue) and one.conversation_id == chat.id]


async def test_n16_a_long_wait_is_told_once_with_its_seat_and_its_limit(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon(profiles=("qiyu",))
    start = await rig.now() - timedelta(seconds=60)
    waits = await shop.chat(start=start).opened()
    answered = await shop.chat("ben", start=start).opened()
    async with rig.watching(ALERTS.name) as alerts:
        await answered.buyer(30)
        await answered.agent(50)
        await waits.buyer(32)
        (due,) = await eventually(lambda: due_for(alerts, waits), what="the long wait")
        await waits.buyer(59)
        await rig.folded()

        later = await shop.chat("clara", start=start).opened()
        await later.buyer(33)
        await eventually(lambda: due_for(alerts, later), what="a later wait")

    assert (due.agent_id, due.shop_id) == (waits.agent_id, shop.id)
    assert due.waiting_since == start + timedelta(seconds=32)
    assert due.breach_at == due.waiting_since + timedelta(seconds=180)
    assert due_for(alerts, answered) == []
    assert len(due_for(alerts, waits)) == 1
    rows = await rig.rows(
        "select conversation_id from long_waits where shop_id = :shop order by due_ms", shop=shop.id
    )
    assert rows == [(waits.id,), (later.id,)]
