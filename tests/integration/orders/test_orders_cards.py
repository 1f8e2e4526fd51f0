"""What a buyer presses on the card of his order, through the HTTP door to the work behind it."""

import asyncio

import pytest

from contracts.orders import OrderAddressChecked, OrderReleased
from contracts.people import Role
from contracts.work import WorkSettled
from tests.trade import ADDRESS, Trade

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PRESS = "01939c2e-8a00-8000-8000-000000000001:confirm_address"


async def test_the_buyer_says_that_his_address_is_right_and_the_work_is_over(trade: Trade) -> None:
    shop = trade.shop()
    agent, buyer = shop.person(Role.AGENT), shop.buyer("tb-1")
    order_id = await shop.order(buyer="tb-1")
    opened = await trade.assign(order_id, agent)
    await agent.post(f"/v1/orders/{order_id}/remarks", {"text": "买家问过两次"})

    pressed = await buyer.post(f"/v1/orders/{order_id}/address-confirmation", key=PRESS)

    assert (pressed.status_code, pressed.json()["state"]) == (200, "released")
    assert pressed.json()["address"] == {**ADDRESS, "masked": False}
    await trade.events(OrderReleased, order_id)
    (checked,) = await trade.events(OrderAddressChecked, order_id)
    assert (checked.result, checked.by, checked.final) == ("verified", buyer.id, True)
    (settled,) = await trade.events(WorkSettled, opened.work_id)
    assert settled.outcome == "verified"


async def test_however_often_it_is_pressed_it_is_done_once(trade: Trade) -> None:
    shop = trade.shop()
    buyer = shop.buyer("tb-1")
    path = f"/v1/orders/{await shop.order(buyer='tb-1')}/address-confirmation"

    answers = await asyncio.gather(*(buyer.post(path, key=PRESS) for _ in range(10)))
    again = await buyer.post(path, key=PRESS)
    elsewhere = await buyer.post(path, key="another card")

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    refused = elsewhere.json()
    assert (elsewhere.status_code, refused["code"]) == (409, "already_settled")
    assert refused["outcome"] == "verified"
    order_id = again.json()["id"]
    await trade.events(OrderReleased, order_id)
    assert trade.told(order_id).count("order.address_checked.v1") == 1


async def test_nobody_says_it_for_him(trade: Trade) -> None:
    shop = trade.shop()
    path = f"/v1/orders/{await shop.order(buyer='tb-1')}/address-confirmation"

    stranger = await shop.buyer("tb-2").post(path)
    abroad = await trade.shop().buyer("tb-1").post(path)
    staff = await shop.person(Role.SUPERVISOR).post(path)

    assert [stranger.status_code, abroad.status_code, staff.status_code] == [404, 404, 403]


async def test_what_an_agent_settled_first_is_told_to_who_presses(trade: Trade) -> None:
    shop = trade.shop()
    supervisor, buyer = shop.person(Role.SUPERVISOR), shop.buyer("tb-1")
    path = f"/v1/orders/{await shop.order(buyer='tb-1')}"
    new = {"name": "陈小平", "phone": "13900001111", "text": "上海市浦东新区世纪大道 1 号"}
    changed = {"result": "changed", "address": new}
    await supervisor.post(f"{path}/address-verification", changed, if_match=2)

    late = await buyer.post(f"{path}/address-confirmation", key=PRESS)

    assert (late.status_code, late.json()["outcome"]) == (409, "changed")
    assert (await buyer.get(path)).json()["address"]["text"] == new["text"]
