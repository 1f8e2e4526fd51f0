"""Two hold one piece of work: both see the address, either settles it, the other is told (B42)."""

import asyncio

import pytest
from sqlalchemy import text

from contracts.orders import OrderAddressChecked
from contracts.people import Role
from contracts.work import Subject, WorkSettled, WorkSettledV2
from kit.clock import SystemClock
from tests.trade import Person, Trade
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

VERIFIED = {"result": "verified"}


async def test_an_agent_and_the_senior_beside_him_both_see_the_address(trade: Trade) -> None:
    shop = trade.shop()
    agent, senior, other = map(shop.person, (Role.AGENT, Role.SENIOR, Role.AGENT))
    order_id = await shop.order()
    await trade.assign(order_id, agent, also=senior)

    assert [await _masked(one, order_id) for one in (agent, senior, other)] == [False, False, True]

    await trade.assign(order_id, agent, version=2)
    assert [await _masked(one, order_id) for one in (agent, senior)] == [False, True]


async def test_of_two_at_once_one_settles_and_the_other_is_told_how_it_ended(
    trade: Trade,
) -> None:
    shop = trade.shop()
    agent, senior = shop.person(Role.AGENT), shop.person(Role.SENIOR)
    order_id = await shop.order()
    await trade.assign(order_id, agent, also=senior)
    path = f"/v1/orders/{order_id}/address-verification"

    answers = await asyncio.gather(
        *(one.post(path, VERIFIED, if_match=2) for one in (agent, senior))
    )

    won, lost = sorted(answers, key=lambda one: one.status_code)
    assert won.json()["state"] == "released"
    assert (lost.status_code, lost.json()["code"]) == (409, "already_settled")
    assert lost.json()["outcome"] == "verified"
    (_,) = await trade.events(OrderAddressChecked, order_id)
    assert trade.told(order_id).count("order.address_checked.v1") == 1


async def test_who_comes_after_the_end_was_told_is_told_it_too_and_a_stranger_nothing(
    trade: Trade,
) -> None:
    shop = trade.shop()
    agent, senior, stranger = map(shop.person, (Role.AGENT, Role.SENIOR, Role.AGENT))
    order_id = await shop.order()
    opened = await trade.assign(order_id, agent, also=senior)
    path = f"/v1/orders/{order_id}/address-verification"

    asked = await senior.post(path, {"result": "no_answer"}, if_match=2)
    await trade.events(WorkSettled, opened.work_id)
    await eventually(lambda: _over(trade, opened.work_id))
    late = await agent.post(path, VERIFIED, if_match=2)
    forbidden = await stranger.post(path, VERIFIED, if_match=3)

    assert asked.status_code == 200
    assert (late.status_code, late.json()["code"]) == (409, "already_settled")
    assert late.json()["outcome"] == "no_answer"
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "not_holder")


async def test_an_end_in_version_two_ends_what_was_held_and_one_of_no_order_is_passed_over(
    trade: Trade,
) -> None:
    shop = trade.shop()
    agent = shop.person(Role.AGENT)
    order_id = await shop.order()
    opened = await trade.assign(order_id, agent)
    settled = WorkSettledV2(
        id=trade.ids.new(),
        time=SystemClock().now(),
        shop_id=opened.shop_id,
        work_id=opened.work_id,
        owner="orders",
        kind="verify_address",
        subject=Subject(kind="order", id=order_id),
        outcome="order_closed",
        owner_version=2,
    )

    await trade.tell(settled, settled.model_copy(update={"id": trade.ids.new()}))
    await trade.tell(
        settled.model_copy(update={"id": trade.ids.new(), "order_id": opened.order_id})
    )

    await eventually(lambda: _over(trade, opened.work_id))
    assert await _masked(agent, order_id)


async def test_the_list_of_work_shows_who_is_beside_its_agent(trade: Trade) -> None:
    shop = trade.shop()
    agent, senior = shop.person(Role.AGENT), shop.person(Role.SENIOR)
    order_id = await shop.order()
    opened = await trade.assign(order_id, agent, also=senior)

    async def shown() -> bool:
        item = (await agent.get(f"/v1/work-items/{opened.work_id}")).json()
        return (item["agent_id"], item["also"]) == (agent.id, senior.id)

    await eventually(shown)


async def test_a_senior_finds_the_work_that_he_holds_beside_agents_and_the_work_of_his_own(
    trade: Trade,
) -> None:
    shop = trade.shop()
    agent, senior = shop.person(Role.AGENT), shop.person(Role.SENIOR)
    first, second, third = [await shop.order() for _ in range(3)]
    beside = await trade.assign(first, agent, also=senior)
    own = await trade.assign(second, senior)
    foreign = await trade.assign(third, agent)

    async def listed(who: Person) -> list[str]:
        found = (await senior.get("/v1/work-items", agent_id=who.id)).json()["items"]
        return [item["id"] for item in found]

    async def all_are_listed() -> bool:
        return len(await listed(senior)) == len(await listed(agent)) == 2

    await eventually(all_are_listed)
    assert await listed(senior) == [own.work_id, beside.work_id]
    assert await listed(agent) == [foreign.work_id, beside.work_id]
    page = (await senior.get("/v1/work-items", agent_id=senior.id, limit=1)).json()
    assert [item["id"] for item in page["items"]] == [own.work_id]
    rest = await senior.get(
        "/v1/work-items", agent_id=senior.id, limit=1, cursor=page["next_cursor"]
    )
    assert [item["id"] for item in rest.json()["items"]] == [beside.work_id]


async def _masked(person: Person, order_id: str) -> bool:
    found: bool = (await person.get(f"/v1/orders/{order_id}")).json()["address"]["masked"]
    return found


async def _over(trade: Trade, work_id: str) -> bool:
    query = text("select settled from work where work_id = :work")
    async with trade.databases["orders"].read_across("a test") as session:
        return bool((await session.execute(query, {"work": work_id})).scalar())
