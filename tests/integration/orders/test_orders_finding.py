"""Orders, found by what a buyer tells of them: masked, by the shop's own, audited."""

import asyncio

import pytest

from contracts.people import Role
from tests.trade import ADDRESS, Person, Trade

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PATH = "/v1/orders"
PHONE = ADDRESS["phone"]


async def test_an_order_is_found_by_its_id_its_external_id_and_a_whole_phone(trade: Trade) -> None:
    shop = trade.shop()
    agent, first, second = shop.person(Role.AGENT), await shop.order(), await shop.order()
    (known,) = [one for one in (await agent.get(PATH)).json()["items"] if one["id"] == first]

    assert await _found(agent, first) == [first]
    assert await _found(agent, f" {known['external_id']} ") == [first]
    assert sorted(await _found(agent, PHONE)) == sorted([first, second])
    assert sorted(await _found(agent, "138 1234 8000")) == sorted([first, second])
    for part in (PHONE[:-1], PHONE[-4:], "138****8000", "%", known["external_id"][:-1]):
        assert await _found(agent, part) == [], part


async def test_the_newest_of_a_phone_are_found_however_it_is_written(trade: Trade) -> None:
    shop = trade.shop()
    agent, first, second = shop.person(Role.AGENT), await shop.order(), await shop.order()

    for written in ("138-1234-8000", "+8613812348000", "86 138 1234 8000"):
        assert await _found(agent, written) == [second, first], written


async def test_what_is_found_is_masked_and_the_look_is_kept_without_the_phone(
    trade: Trade,
) -> None:
    shop = trade.shop()
    clerk, order_id = shop.person(Role.CLERK), await shop.order()

    answer = await clerk.get(PATH, q=PHONE)
    await clerk.get(PATH, q=order_id)

    [seen] = answer.json()["items"]
    assert (seen["address"]["phone"], seen["address"]["masked"]) == ("138****8000", True)
    assert PHONE not in answer.text
    assert ADDRESS["name"] not in answer.text
    kept = await shop.person(Role.SUPERVISOR).get("/v1/audit/orders", action="orders_searched")
    assert [one["note"] for one in kept.json()["items"]] == [order_id, "138****8000"]


async def test_nobody_finds_another_shops_orders(trade: Trade) -> None:
    shop, other = trade.shop(), trade.shop()
    order_id = await shop.order()

    for role in sorted(frozenset(Role) - {Role.BUYER}):
        stranger = other.person(role)
        assert await _found(stranger, order_id) == await _found(stranger, PHONE) == [], role


async def test_a_buyer_looks_for_nothing_and_nobody_mixes_filters(trade: Trade) -> None:
    shop = trade.shop()
    order_id = await shop.order()

    assert (await shop.buyer("tb-1").get(PATH, q=order_id)).status_code == 403
    mixed = await shop.person(Role.AGENT).get(PATH, q=order_id, state="paid")
    assert mixed.status_code == 422
    assert mixed.json()["errors"] == [{"parameter": "state", "detail": "not together with q"}]


async def test_too_many_looks_are_refused(trade: Trade) -> None:
    agent = trade.shop().person(Role.AGENT)

    answers = await asyncio.gather(*(agent.get(PATH, q="x") for _ in range(30)))

    assert {one.status_code for one in answers} == {200, 429}


async def test_some_are_read_by_their_ids_and_another_shops_are_not(trade: Trade) -> None:
    shop, other = trade.shop(), trade.shop()
    first, second, foreign = await shop.order(), await shop.order(), await other.order()
    asked = f"{first},{trade.ids.new()},{second},{foreign}"

    for role in sorted(frozenset(Role) - {Role.BUYER}):
        answer = await shop.person(role).get(PATH, ids=asked)
        assert {one["id"] for one in answer.json()["items"]} == {first, second}, role
        assert PHONE not in answer.text
        strangers = await other.person(role).get(PATH, ids=asked)
        assert [one["id"] for one in strangers.json()["items"]] == [foreign], role
    assert (await shop.buyer("tb-1").get(PATH, ids=asked)).status_code == 403


async def test_more_ids_than_may_be_and_none_are_refused(trade: Trade) -> None:
    agent = trade.shop().person(Role.AGENT)
    many = ",".join(trade.ids.new() for _ in range(50))

    assert (await agent.get(PATH, ids=many)).json()["items"] == []
    for asked in (f"{many},{trade.ids.new()}", "", "a,,b", "x'--"):
        assert (await agent.get(PATH, ids=asked)).status_code == 422, asked
    assert (await agent.get(PATH, ids=many, state="paid")).status_code == 422


async def _found(person: Person, wanted: str) -> list[str]:
    answer = await person.get(PATH, q=wanted)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]
