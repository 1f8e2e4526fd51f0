"""A paid order becomes work, the work is done, the order may be printed: through both services."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text

from contracts import Event
from contracts.orders import OrderPaid, OrderReleased
from contracts.people import Role
from contracts.work import WorkAssigned, WorkKind, WorkSettled
from tests.trade import ADDRESS, Trade
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_a_paid_order_becomes_work_and_its_settling_releases_the_order(trade: Trade) -> None:
    shop = trade.shop()
    agent, clerk = shop.person(Role.AGENT), shop.person(Role.CLERK)

    order_id = await shop.order()
    (paid,) = await trade.events(OrderPaid, order_id)
    opened = await trade.assign(order_id, agent)
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


async def test_two_clicks_of_nobody_answered_release_no_order(trade: Trade) -> None:
    shop = trade.shop()
    agent, boss = shop.person(Role.AGENT), shop.person(Role.SUPERVISOR)
    order_id = await shop.order()
    path = f"/v1/orders/{order_id}/address-verification"

    first = await trade.assign(order_id, agent)
    asked = await agent.post(path, {"result": "no_answer"}, if_match=2)
    again = await boss.post(path, {"result": "no_answer"}, if_match=3)

    assert (asked.json()["state"], asked.json()["interlocks"]) == ("paid", ["address_unverified"])
    assert (again.status_code, again.json()["code"]) == (409, "too_early")
    assert again.json()["at"] == asked.json()["ask_again_at"]
    await trade.events(WorkSettled, first.work_id)
    seen = (await boss.get(f"/v1/orders/{order_id}")).json()
    assert (seen["state"], seen["version"], seen["address_attempts"]) == ("paid", 3, 1)
    open_work = await boss.get("/v1/work-items", order_id=order_id, state="open")
    assert open_work.json()["items"] == [], "the second attempt waits for its time"

    # The buyer calls back: whoever may answer for it need not wait.
    verified = await boss.post(path, {"result": "verified"}, if_match=3)
    assert verified.json()["state"] == "released"


async def test_a_repeat_of_every_fact_changes_nothing(trade: Trade) -> None:
    shop = trade.shop()
    agent = shop.person(Role.AGENT)
    order_id = await shop.order()
    opened = await trade.assign(order_id, agent)
    path = f"/v1/orders/{order_id}/address-verification"
    await agent.post(path, {"result": "verified"}, if_match=2)
    told = await trade.events(WorkSettled, opened.work_id)
    await trade.events(OrderReleased, order_id)
    told_of = [*told, *await trade.events(OrderPaid, order_id)]
    await eventually(lambda: _handled(trade, told_of, times=3), what="calm")
    facts = [e for e in trade.log if order_id in {e.key, getattr(e, "order_id", "")}]
    before = await _state(trade, order_id)

    await trade.tell(*facts, *facts)
    # The same facts under new ids stop at their natural keys, and tell when all before is handled.
    markers = [
        next(e for e in facts if isinstance(e, kind)).model_copy(update={"id": trade.ids.new()})
        for kind in (OrderPaid, WorkAssigned)
    ]
    await trade.tell(*markers)
    await eventually(lambda: _handled(trade, markers, times=4), what="the markers")

    later = {e.id for e in trade.log if order_id in {e.key, getattr(e, "order_id", "")}}
    assert later - {e.id for e in markers} == {e.id for e in facts}, "nothing new was told"
    assert await _state(trade, order_id) == before


async def _handled(trade: Trade, markers: Sequence[Event], *, times: int) -> bool:
    """Tell whether the groups that read these have had them, `times` in all."""
    seen = 0
    for opened in trade.databases.values():
        async with opened.read_across("a test") as session:
            query = text("select count(*) from inbox where event_id = any(:ids)")
            wanted = {"ids": [event.id for event in markers]}
            seen += (await session.execute(query, wanted)).scalar_one()
    return seen == times


async def _state(trade: Trade, order_id: str) -> list[object]:
    """Return all that both services hold of an order."""
    found: list[object] = []
    for service, tables in {
        "orders": ("interlocks", "work", "address_checks"),
        "aftersales": ("payments", "work_items", "cases"),
    }.items():
        async with trade.databases[service].read_across("a test") as session:
            for table in tables:
                query = f"select * from {table} where order_id = :order order by 1"
                found += (await session.execute(text(query), {"order": order_id})).all()
    return found
