"""A storm of alerts: robots hear the worst by name and the rest in digests; the fold hears none."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from contracts.monitor import WaitingThresholdPassed
from contracts.people import ConversationId, Role
from tests.integration.monitor.rig import Monitor, Rig, Shop
from tests.robots import HANGS, DingTalk, Robot, listening
from tests.waiting import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.heavy,
    pytest.mark.asyncio(loop_scope="module"),
]

ALERTS, CRITICAL, AT_ONCE = 5_000, 500, 50
COUNTED_S = 120.0
"""No promise: a busy machine."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def monitor(rig: Rig) -> AsyncIterator[Monitor]:
    """A monitor that may send to this machine."""
    async with rig.monitor(outgoing_stand_ins="127.0.0.1") as started:
        yield started


async def connect(monitor: Monitor, shop: Shop, robot: Robot) -> None:
    body = {"name": "值班群", "kind": "dingtalk", "url": robot.url}
    answer = await monitor.post("/v1/monitor/channels", shop.token(Role.ADMIN, "mia"), body)
    assert answer.status_code == 201, answer.text


def passed(rig: Rig, shop: Shop, number: int) -> WaitingThresholdPassed:
    now = datetime.now(UTC)
    is_worse = number % (ALERTS // CRITICAL) == 0
    return WaitingThresholdPassed(
        id=rig.ids.new(),
        time=now,
        shop_id=shop.id,
        conversation_id=ConversationId(rig.ids.new()),
        agent_id=None,
        profile="taobao_2022",
        threshold_s=180 if is_worse else 100,
        opened_at=now,
        late_ms=0,
    )


async def test_n42_a_storm_is_digested_and_neither_robot_nor_fold_is_kept(
    rig: Rig, monitor: Monitor
) -> None:
    stormy, calm = await monitor.shop_at_noon(), await monitor.shop_at_noon()
    async with listening(DingTalk()) as robot, listening(DingTalk()) as hanging:
        await connect(monitor, stormy, robot)
        await connect(monitor, stormy, hanging)
        hanging.answers.extend([HANGS] * 100)
        storm = [passed(rig, stormy, number) for number in range(ALERTS)]
        await asyncio.gather(*(rig.produce(*storm[first::AT_ONCE]) for first in range(AT_ONCE)))
        chat = await calm.chat(start=await rig.now()).opened()
        await chat.buyer(0)
        await rig.folded()

        async def counted() -> bool:
            rows = "select count(*) from alerts where shop_id = :s"
            return await rig.rows(rows, s=stormy.id) == [(ALERTS,)]

        await eventually(counted, within=COUNTED_S, what="all are counted")
        await eventually(
            lambda: any("（合并）" in text for text in robot.texts),
            within=COUNTED_S,
            what="a digest",
        )
        refused = robot.asked - len(robot.taken)

    ((waits,),) = await rig.rows(
        "select count(*) from deliveries where shop_id = :s and state = 'pending'", s=stormy.id
    )
    assert refused == 0
    assert waits <= 10_000
    assert any("【严重】买家等待过久" in text for text in robot.texts)
