"""What agents meant in spite of the gate: beside the incident, with the first reason of each."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.gateway import MessageHeld, WordingConfirmed
from contracts.people import MessageId
from tests.integration.monitor.rig import Monitor, Rig, Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


def meant(held: MessageHeld, reason: str | None, *, message: str) -> WordingConfirmed:
    """Return what a gateway tells once the agent means it."""
    return WordingConfirmed(
        id=f"confirmed-{message}",
        time=held.time + timedelta(seconds=5),
        shop_id=held.shop_id,
        message_id=MessageId(message),
        incident_id=held.id,
        conversation_id=held.conversation_id,
        agent_id=held.agent_id,
        reason=reason,
        hits=held.hits,
        lexicon_version=held.lexicon_version,
    )


async def told(monitor: Monitor, shop: Shop, *, number: int) -> dict[str, Any]:
    """Return what is said of each incident's confirmation, once so many are listed."""

    async def listed() -> dict[str, Any] | None:
        answer = await monitor.get("/v1/monitor/incidents", shop.token(), shop=shop.id)
        found = {one["incident_id"]: one["confirmed"] for one in answer.json()["items"]}
        return found if len(found) == number else None

    return await eventually(listed, what="the incidents") or {}


async def test_the_first_reason_of_a_message_stands_beside_its_incident(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon()
    held = await shop.held("加微信")
    last = await shop.held("滚")
    first = meant(held, "买家问的", message=rig.ids.new())
    again = meant(held, "再试", message=first.message_id)
    await rig.produce(first, again, first)

    async def stored() -> bool:
        return (await told(monitor, shop, number=2))[held.id] is not None

    await eventually(stored, what="the reason")
    await rig.produce(again)
    after = await shop.held("滚开")

    shown = await told(monitor, shop, number=3)
    assert shown[last.id] is None
    assert shown[after.id] is None
    kept = shown[held.id]
    assert (kept["reason"], kept["message_id"]) == ("买家问的", first.message_id)
    rows = await rig.rows("select reason from confirmations where shop_id = :shop", shop=shop.id)
    assert rows == [("买家问的",)]


async def test_a_confirmation_of_an_older_client_has_no_reason(rig: Rig, monitor: Monitor) -> None:
    shop = await monitor.shop_at_noon()
    held = await shop.held("加微信")
    await rig.produce(meant(held, None, message=rig.ids.new()))

    async def stored() -> bool:
        return (await told(monitor, shop, number=1))[held.id] is not None

    await eventually(stored, what="the confirmation")
    assert (await told(monitor, shop, number=1))[held.id]["reason"] is None
