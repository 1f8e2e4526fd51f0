"""What is kept of an answer that showed an address whole, and who sees it when it is repeated."""

import json

import pytest
from sqlalchemy import text

from contracts.orders import OrderReleased
from contracts.people import Role
from tests.trade import ADDRESS, Trade

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

WHOLE = {**ADDRESS, "masked": False}


async def kept(trade: Trade, *keys: str) -> str:
    """Return what is kept for repeats under these keys."""
    async with trade.databases["orders"].read_across("a test") as session:
        found = await session.execute(
            text("select body from idempotency where key = any(:keys)"), {"keys": list(keys)}
        )
        bodies = [bytes(row.body).decode() for row in found]
    assert len(bodies) == len(keys)
    return "".join(json.dumps(json.loads(body), ensure_ascii=False) for body in bodies)


async def test_a_repeat_shows_the_address_whole_and_nothing_of_it_is_kept(trade: Trade) -> None:
    shop = trade.shop()
    supervisor, agent, clerk = map(shop.person, (Role.SUPERVISOR, Role.AGENT, Role.CLERK))
    order_id = await shop.order()
    path, reason = f"/v1/orders/{order_id}", {"reason": "买家来电改址"}
    keys = {name: trade.ids.new() for name in ("reveal", "check", "print")}
    await trade.assign(order_id, agent)

    shown = [await supervisor.post(f"{path}/reveal", reason, key=keys["reveal"]) for _ in range(2)]
    version = shown[0].json()["version"]
    checks = [
        await agent.post(
            f"{path}/address-verification",
            {"result": "verified"},
            key=keys["check"],
            if_match=version,
        )
        for _ in range(2)
    ]
    (released,) = await trade.events(OrderReleased, order_id)
    prints = [
        await clerk.post(f"{path}/print", key=keys["print"], if_match=released.version)
        for _ in range(2)
    ]

    for first, again in (shown, prints):
        assert first.json()["address"] == WHOLE
        assert again.json() == first.json()
        assert again.headers["ETag"] == first.headers["ETag"]
    assert checks[0].status_code == checks[1].status_code == 200
    stored = await kept(trade, *keys.values())
    assert all(ADDRESS[field] not in stored for field in ("name", "phone", "text"))
    assert [did for did, _ in await trade.audited(shop.id)].count("address_shown") == 1


async def test_who_holds_the_work_no_more_is_repeated_a_masked_address(trade: Trade) -> None:
    shop = trade.shop()
    agent, colleague = shop.person(Role.AGENT), shop.person(Role.AGENT)
    order_id = await shop.order()
    version = (await agent.get(f"/v1/orders/{order_id}")).json()["version"]
    await trade.assign(order_id, agent)
    key, path = trade.ids.new(), f"/v1/orders/{order_id}/address-verification"

    first = await agent.post(path, {"result": "no_answer"}, key=key, if_match=version)
    await trade.assign(order_id, colleague, version=2)
    again = await agent.post(path, {"result": "no_answer"}, key=key, if_match=version)

    assert first.json()["address"] == WHOLE
    assert again.status_code == first.status_code
    assert again.json()["address"]["masked"]
    assert again.json() == {
        **first.json(),
        "address": again.json()["address"],
        "buyer": again.json()["buyer"],
    }
