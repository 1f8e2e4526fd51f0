"""A paid order becomes work, the work is done, the order may be printed: through both services."""

import pytest

from contracts.aftersales import WorkKind, WorkOpened, WorkSettled
from contracts.conversation import WorkAssigned
from contracts.orders import OrderPaid, OrderReleased
from contracts.people import PersonId, Role, ShopId
from kit.clock import SystemClock
from tests.trade import ADDRESS, Person, Shop, Trade
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def assigned(trade: Trade, shop: Shop, order_id: str, agent: Person) -> WorkOpened:
    """Play the conversation service: give the order's work to the agent."""
    opened = await eventually(
        lambda: next(
            (e for e in trade.log if isinstance(e, WorkOpened) and e.order_id == order_id), None
        ),
        within=20,
        what="work.opened",
    )
    assert opened is not None
    await trade.tell(
        WorkAssigned(
            id=trade.ids.new(),
            time=SystemClock().now(),
            shop_id=ShopId(shop.id),
            work_id=opened.work_id,
            agent_id=PersonId(agent.id),
            kind=opened.kind,
            order_id=opened.order_id,
            due_at=opened.due_at,
            version=1,
        )
    )
    await eventually(lambda: _sees_whole(agent, order_id), within=20, what="the agent's sight")
    return opened


async def _sees_whole(agent: Person, order_id: str) -> bool:
    shown = (await agent.get(f"/v1/orders/{order_id}")).json()
    return not shown["address"]["masked"]


async def test_a_paid_order_becomes_work_and_its_settling_releases_the_order(trade: Trade) -> None:
    shop = trade.shop()
    agent, clerk = shop.person(Role.AGENT), shop.person(Role.CLERK)

    order_id = await shop.order()
    (paid,) = await trade.events(OrderPaid, order_id)
    opened = await assigned(trade, shop, order_id, agent)
    assert opened.kind is WorkKind.VERIFY_ADDRESS
    assert opened.due_at > paid.time

    refused = await clerk.post(f"/v1/orders/{order_id}/print", if_match=paid.version)
    assert (refused.status_code, refused.json()["code"]) == (409, "interlocked")
    assert refused.json()["interlocks"] == ["address_unverified"]

    checked = await agent.post(
        f"/v1/orders/{order_id}/address-verification",
        {"result": "verified"},
        if_match=paid.version,
    )
    assert checked.status_code == 200, checked.text
    assert checked.json()["state"] == "released"
    assert checked.json()["interlocks"] == []

    (released,) = await trade.events(OrderReleased, order_id)
    (settled,) = await trade.events(WorkSettled, opened.work_id)
    assert settled.outcome == "verified"
    assert trade.told(order_id) == [
        "order.placed.v1",
        "order.paid.v1",
        "order.address_checked.v1",
        "order.released.v1",
    ]

    printed = await clerk.post(f"/v1/orders/{order_id}/print", if_match=released.version)
    assert printed.status_code == 200, printed.text
    assert printed.json()["address"] == {**ADDRESS, "masked": False}
    item = (await agent.get(f"/v1/work-items/{opened.work_id}")).json()
    assert (item["state"], item["outcome"], item["agent_id"]) == ("settled", "verified", agent.id)
