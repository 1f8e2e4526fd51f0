"""How full colleagues are, for who hands a conversation on (F13)."""

import pytest

from tests.integration.conversation.desk import Platform, ok
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_who_hands_on_is_told_how_full_colleagues_are(platform: Platform) -> None:
    shop = await platform.shop()
    agent, resting = await shop.staff(), await shop.staff(state=None)
    talks = [ok(await (await shop.buyer()).post("/v1/conversations", {}), 201) for _ in range(2)]
    await platform.say(talks[0], "在吗")

    async def waits() -> bool:
        found = ok(await resting.get("/v1/agents", fields="load"))["items"]
        return bool(next(one for one in found if one["id"] == agent.id)["waiting"])

    await eventually(waits)
    listed = ok(await resting.get("/v1/agents", fields="load"))["items"]
    plain = ok(await resting.get("/v1/agents"))["items"]

    full = {one["id"]: one for one in listed}
    assert (full[agent.id]["load"], full[agent.id]["waiting"]) == (2, 1)
    assert full[agent.id]["capacity"] > 2
    assert full[agent.id]["groups"] == sorted(full[agent.id]["groups"])
    assert (full[resting.id]["load"], full[resting.id]["waiting"]) == (0, 0)
    assert {one["load"] for one in plain} == {None}
    assert (await resting.get("/v1/agents", fields="name")).status_code == 422
