"""Who sees and does what with an order, through the HTTP door."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contracts.orders import OrderAddressChecked, OrderRemarked
from contracts.people import Role
from tests.trade import ADDRESS, Trade

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

MASKED = {
    "name": "陈*平",
    "phone": "138****8000",
    "text": "浙江省杭州市西湖区***",
    "masked": True,
}


async def test_a_buyer_sees_his_own_orders_whole_and_no_others(trade: Trade) -> None:
    shop = trade.shop()
    mine, others = await shop.order(buyer="tb-1"), await shop.order(buyer="tb-2")
    buyer = shop.buyer("tb-1")

    listed = (await buyer.get("/v1/orders")).json()["items"]
    read = await buyer.get(f"/v1/orders/{mine}")

    assert [item["id"] for item in listed] == [mine]
    assert read.json()["address"] == {**ADDRESS, "masked": False}
    assert (await buyer.get(f"/v1/orders/{others}")).status_code == 404


async def test_staff_list_one_buyers_orders_and_a_buyer_nobody_elses(trade: Trade) -> None:
    shop = trade.shop()
    mine, others = await shop.order(buyer="tb-1"), await shop.order(buyer="tb-2")
    agent, buyer, other = shop.person(Role.AGENT), shop.buyer("tb-1"), shop.buyer("tb-2")

    of_one = (await agent.get("/v1/orders", buyer_id=buyer.id)).json()["items"]
    of_other = (await agent.get("/v1/orders", buyer_id=other.id)).json()["items"]
    peeked = (await buyer.get("/v1/orders", buyer_id=other.id)).json()["items"]

    assert [item["id"] for item in of_one] == [item["id"] for item in peeked] == [mine]
    assert [item["id"] for item in of_other] == [others]
    assert all(item["address"]["masked"] for item in of_one + of_other)


async def test_staff_see_addresses_masked_but_the_agent_at_work_sees_them_whole(
    trade: Trade,
) -> None:
    shop = trade.shop()
    agent, colleague = shop.person(Role.AGENT), shop.person(Role.AGENT)
    order_id = await shop.order()
    await trade.assign(order_id, agent)

    whole = (await agent.get(f"/v1/orders/{order_id}")).json()
    masked = (await colleague.get(f"/v1/orders/{order_id}")).json()
    listed = (await agent.get("/v1/orders")).json()["items"][0]

    assert whole["address"] == {**ADDRESS, "masked": False}
    assert masked["address"] == listed["address"] == MASKED
    assert masked["buyer"]["name"] == "陈*平"
    assert await trade.audited(shop.id) == [("address_shown", agent.id)]


async def test_a_supervisor_reveals_an_address_and_says_why(trade: Trade) -> None:
    shop = trade.shop()
    supervisor = shop.person(Role.SUPERVISOR)
    order_id = await shop.order()
    path = f"/v1/orders/{order_id}/reveal"

    shown = await supervisor.post(path, {"reason": "买家来电改址"})

    assert shown.json()["address"]["phone"] == ADDRESS["phone"]
    assert await trade.audited(shop.id) == [("address_shown", supervisor.id)]
    assert (await shop.person(Role.AGENT).post(path, {"reason": "x"})).status_code == 403


async def test_another_shops_order_is_as_absent_as_one_that_never_was(trade: Trade) -> None:
    shop, other = trade.shop(), trade.shop()
    order_id = await shop.order()
    stranger = other.person(Role.SUPERVISOR)

    foreign = await stranger.get(f"/v1/orders/{order_id}")
    absent = await stranger.get(f"/v1/orders/{trade.ids.new()}")

    assert foreign.status_code == absent.status_code == 404
    same = [{**answer.json(), "trace_id": ""} for answer in (foreign, absent)]
    assert same[0] == same[1]
    assert await trade.audited(shop.id) == [("refused_other_shop", stranger.id)]


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("address-verification", {"result": "verified"}),
        ("print", {}),
        ("close", {"reason": "x"}),
        ("remarks", {"text": "x"}),
        ("reveal", {"reason": "x"}),
    ],
)
async def test_another_shops_order_takes_no_command(
    trade: Trade, command: str, body: dict[str, str]
) -> None:
    shop, other = trade.shop(), trade.shop()
    order_id = await shop.order()
    stranger = other.person(Role.SUPERVISOR)

    answer = await stranger.post(f"/v1/orders/{order_id}/{command}", body, if_match=2)

    assert answer.status_code == 404
    assert (await shop.person(Role.AGENT).get(f"/v1/orders/{order_id}")).json()["version"] == 2


async def test_an_agent_who_does_not_hold_the_work_may_not_settle_it(trade: Trade) -> None:
    shop = trade.shop()
    order_id = await shop.order()
    path = f"/v1/orders/{order_id}/address-verification"

    answer = await shop.person(Role.AGENT).post(path, {"result": "verified"}, if_match=2)

    assert (answer.status_code, answer.json()["code"]) == (403, "not_holder")
    supervisor = shop.person(Role.SUPERVISOR)
    assert (await supervisor.post(path, {"result": "verified"}, if_match=2)).status_code == 200


async def test_a_changed_address_is_where_the_parcel_goes(trade: Trade) -> None:
    shop = trade.shop()
    supervisor = shop.person(Role.SUPERVISOR)
    order_id = await shop.order()
    path = f"/v1/orders/{order_id}/address-verification"
    new = {"name": "陈小平", "phone": "13900001111", "text": "上海市浦东新区世纪大道 1 号"}

    missing = await supervisor.post(path, {"result": "changed"}, if_match=2)
    surplus = await supervisor.post(path, {"result": "verified", "address": new}, if_match=2)
    changed = await supervisor.post(path, {"result": "changed", "address": new}, if_match=2)

    assert (missing.status_code, surplus.status_code) == (422, 422)
    assert changed.json()["address_result"] == "changed"
    buyer = shop.buyer("tb-1")
    seen = (await buyer.get(f"/v1/orders/{order_id}")).json()
    assert seen["address"] == {**new, "masked": False}


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        (None, 428),
        ("*", 428),
        ('W/"2"', 412),
        ('"1"', 412),
        ('"3"', 412),
        ('"1", "2"', 412),
        ("2", 412),
    ],
)
async def test_a_command_without_the_present_version_is_refused(
    trade: Trade, if_match: str | None, status: int
) -> None:
    shop = trade.shop()
    order_id = await shop.order()
    supervisor = shop.person(Role.SUPERVISOR)

    answer = await supervisor.post(
        f"/v1/orders/{order_id}/address-verification", {"result": "verified"}, if_match=if_match
    )

    assert answer.status_code == status
    read = await supervisor.get(f"/v1/orders/{order_id}")
    assert (read.headers["etag"], read.json()["state"]) == ('"2"', "paid")


async def test_a_remark_is_kept_for_ever_and_stops_a_print_by_who_has_not_read_it(
    trade: Trade,
) -> None:
    shop = trade.shop()
    supervisor, clerk = shop.person(Role.SUPERVISOR), shop.person(Role.CLERK)
    order_id = await shop.order()
    path = f"/v1/orders/{order_id}"
    checked = await supervisor.post(
        f"{path}/address-verification", {"result": "verified"}, if_match=2
    )
    version = checked.json()["version"]

    remarked = await supervisor.post(f"{path}/remarks", {"text": "买家要求礼盒包装"})
    unread = await clerk.post(f"{path}/print", if_match=version)
    remarks = (await clerk.get(f"{path}/remarks")).json()["items"]
    printed = await clerk.post(f"{path}/print", if_match=version + 1)

    assert remarked.status_code == 201
    assert unread.status_code == 412
    assert [remark["text"] for remark in remarks] == ["买家要求礼盒包装"]
    assert printed.status_code == 200
    await trade.events(OrderRemarked, order_id)
    with pytest.raises(DBAPIError, match="never changed"):
        async with trade.databases["orders"].write_across("a test") as session:
            await session.execute(text("update remarks set text = 'other'"))


async def test_an_unpaid_order_can_be_closed_and_a_paid_one_cannot(trade: Trade) -> None:
    shop = trade.shop()
    agent = shop.person(Role.AGENT)
    unpaid = (await shop.deliver(shop.placed())).json()["order_id"]
    paid = await shop.order()

    closed = await agent.post(f"/v1/orders/{unpaid}/close", {"reason": "拍错"}, if_match=1)
    refused = await agent.post(f"/v1/orders/{paid}/close", {"reason": "拍错"}, if_match=2)

    assert closed.json()["state"] == "closed"
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal_transition")


async def test_fifty_identical_commands_at_once_have_one_effect(trade: Trade) -> None:
    shop = trade.shop()
    supervisor = shop.person(Role.SUPERVISOR)
    order_id = await shop.order()
    path = f"/v1/orders/{order_id}/address-verification"

    answers = await asyncio.gather(
        *(supervisor.post(path, {"result": "verified"}, key="one", if_match=2) for _ in range(50))
    )

    counted = Counter(answer.status_code for answer in answers)
    assert set(counted) <= {200, 409}
    assert len({answer.text for answer in answers if answer.status_code == 200}) == 1
    assert all(a.headers["retry-after"] for a in answers if a.status_code == 409)
    again = await supervisor.post(path, {"result": "verified"}, key="one", if_match=2)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    (_,) = await trade.events(OrderAddressChecked, order_id)
    assert trade.told(order_id).count("order.address_checked.v1") == 1


async def test_a_key_used_for_another_body_is_refused_and_another_persons_key_is_his(
    trade: Trade,
) -> None:
    shop = trade.shop()
    one, other = shop.person(Role.AGENT), shop.person(Role.AGENT)
    path = f"/v1/orders/{await shop.order()}/remarks"
    await one.post(path, {"text": "甲"}, key="k")

    reused = await one.post(path, {"text": "乙"}, key="k")
    independent = await other.post(path, {"text": "乙"}, key="k")

    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert independent.status_code == 201


@pytest.mark.parametrize("key", ["k" * 10_240, "a\x7fb", ""])
async def test_an_unreadable_key_is_refused(trade: Trade, key: str) -> None:
    shop = trade.shop()
    person = shop.person(Role.AGENT)
    path = f"/v1/orders/{await shop.order()}/remarks"
    answer = await trade.orders.post(
        path, json={"text": "x"}, headers={**person.headers(), "Idempotency-Key": key}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("field", ["role", "shop_id", "state", "version", "price_fen", "by"])
async def test_a_field_that_is_not_the_callers_to_set_is_refused(trade: Trade, field: str) -> None:
    shop = trade.shop()
    order_id = await shop.order()
    answer = await shop.person(Role.SUPERVISOR).post(
        f"/v1/orders/{order_id}/address-verification",
        {"result": "verified", field: "x"},
        if_match=2,
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"#/{field}"


async def test_pages_follow_one_another_without_gap_or_repeat(trade: Trade) -> None:
    shop = trade.shop()
    agent = shop.person(Role.AGENT)
    orders = [await shop.order() for _ in range(5)]

    seen: list[str] = []
    query: dict[str, object] = {"limit": 2}
    while True:
        page = (await agent.get("/v1/orders", **query)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]

    assert seen == orders[::-1]


async def test_a_cursor_is_good_for_the_list_it_was_given_for(trade: Trade) -> None:
    shop, other = trade.shop(), trade.shop()
    agent, buyer = shop.person(Role.AGENT), shop.buyer("tb-1")
    for _ in range(2):
        await shop.order()
    cursor = (await agent.get("/v1/orders", limit=1)).json()["next_cursor"]
    flipped = ("A" if cursor[0] != "A" else "B") + cursor[1:]

    for person, text_ in (
        (agent, flipped),
        (agent, cursor + "x"),
        (agent, "1;--"),
        (buyer, cursor),
        (other.person(Role.AGENT), cursor),
    ):
        answer = await person.get("/v1/orders", cursor=text_)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 10**9},
        {"limit": -1},
        {"limit": 0},
        {"state": "1;--"},
        {"state": "') OR 1=1"},
        {"external_id": "' OR pg_sleep(9)"},
        {"sort": "total_fen"},
        {"shop_id": "another"},
    ],
)
async def test_a_filter_that_is_not_offered_is_refused(
    trade: Trade, query: dict[str, object]
) -> None:
    agent = trade.shop().person(Role.AGENT)
    assert (await agent.get("/v1/orders", **query)).status_code == 422


async def test_orders_can_be_found_by_state_and_external_id(trade: Trade) -> None:
    shop = trade.shop()
    agent = shop.person(Role.AGENT)
    paid = await shop.order()
    placed = (await shop.deliver(shop.placed())).json()

    by_state = (await agent.get("/v1/orders", state="paid")).json()["items"]
    by_id = (await agent.get("/v1/orders", external_id=placed["external_id"])).json()["items"]

    assert [item["id"] for item in by_state] == [paid]
    assert [item["id"] for item in by_id] == [placed["order_id"]]
