"""A shop's chat in other sites' pages: which may show it, and what its buyer is told of waiting."""

from typing import Any

import pytest
from sqlalchemy import text

from contracts.conversation import ShopListed
from tests.integration.conversation.desk import Platform, Shop, code, ok
from tests.integration.conversation.talking import close, events
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SITE = "https://shop.example"


def _path(shop: Shop) -> str:
    return f"/v1/shops/{shop.id}/widget"


def _shown(version: int, origins: list[str], greeting: str) -> dict[str, Any]:
    return {"origins": origins, "greeting": greeting, "version": version}


async def test_a_leader_names_sites_which_is_recorded_and_told(platform: Platform) -> None:
    shop = await platform.shop()
    leader, agent = await shop.staff("supervisor"), await shop.staff()
    assert ok(await agent.get(_path(shop))) == _shown(1, [], "")

    said = {"origins": [SITE, "http://localhost:3000", SITE], "greeting": "您好，请说"}
    shown = ok(await leader.put(_path(shop), said))
    again = ok(await leader.put(_path(shop), said))

    kept = _shown(2, [SITE, "http://localhost:3000"], "您好，请说")
    assert shown == again == ok(await agent.get(_path(shop))) == kept
    [_, told] = await eventually(lambda: _told(platform, shop, 2))
    assert (told.widget_origins, told.widget_greeting) == (tuple(kept["origins"]), "您好，请说")
    assert told.version == 2
    assert await _audited(platform, shop) == [f"{SITE}, http://localhost:3000"]


async def test_the_audit_has_every_site_however_many_and_long(platform: Platform) -> None:
    shop = await platform.shop()
    sites = [f"https://{'s' * 60}{number:02}.example" for number in range(20)]

    ok(await shop.boss.put(_path(shop), {"origins": sites}))

    assert await _audited(platform, shop) == [", ".join(sites)]


async def test_a_wording_policy_keeps_the_sites(platform: Platform) -> None:
    shop = await platform.shop()
    ok(await shop.boss.put(_path(shop), {"origins": [SITE]}))

    ok(await shop.boss.put(f"/v1/shops/{shop.id}/wording-policy", {"wording_terms": ["竞品"]}))

    told = await eventually(lambda: _told(platform, shop, 3))
    assert told[-1].widget_origins == (SITE,)


@pytest.mark.parametrize(
    "said",
    [
        {"origins": ["*"]},
        {"origins": ["http://shop.example"]},
        {"origins": ["https://shop.example/"]},
        {"origins": ["https://shop.example; script-src *"]},
        {"origins": [f"https://s{number}.example" for number in range(21)]},
        {"greeting": "您" * 201},
        {"greeting": "a\u0000b"},
        {"sites": [SITE]},
    ],
)
async def test_what_is_no_site_or_no_greeting_is_refused(
    platform: Platform, said: dict[str, Any]
) -> None:
    shop = await platform.shop()

    refused = await shop.boss.put(_path(shop), said)

    assert refused.status_code == 422
    assert ok(await shop.boss.get(_path(shop))) == _shown(1, [], "")


async def test_only_leaders_of_the_shop_name_sites(platform: Platform) -> None:
    shop, other = await platform.shop(), await platform.shop()
    agent, buyer = await shop.staff(), await shop.buyer()

    assert (await agent.put(_path(shop), {"origins": [SITE]})).status_code == 403
    assert (await buyer.get(_path(shop))).status_code == 403
    assert code(await other.boss.put(_path(shop), {"origins": [SITE]})) == (404, "not_found")
    assert code(await other.boss.get(_path(shop))) == (404, "not_found")
    assert ok(await shop.boss.get(_path(shop)))["origins"] == []


async def test_a_buyer_is_told_how_many_are_before_him_and_then_who_serves_him(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    buyers = [await shop.buyer() for _ in range(3)]
    talks = [ok(await one.post("/v1/conversations"), 201) for one in buyers]
    elsewhere = await shop.buyer()
    other = ok(await elsewhere.post("/v1/conversations", {"topic": "after_sale"}), 201)

    async def seen(number: int) -> dict[str, Any]:
        return ok(await buyers[number].get(f"/v1/conversations/{talks[number]['id']}"))

    assert [(await seen(number))["ahead"] for number in range(3)] == [0, 1, 2]
    assert ok(await elsewhere.get(f"/v1/conversations/{other['id']}"))["ahead"] == 0

    agent = await shop.staff(name="小陈", capacity=1)

    async def served() -> bool:
        return bool((await seen(0))["state"] == "assigned")

    await eventually(served)
    first = await seen(0)
    assert (first["agent"], first["ahead"]) == ({"name": "小陈", "online": True}, None)
    assert [(await seen(number))["ahead"] for number in (1, 2)] == [0, 1]
    assert ok(await agent.get(f"/v1/conversations/{talks[0]['id']}"))["agent"] is None

    await agent.be("suspended")
    assert (await seen(0))["agent"] == {"name": "小陈", "online": False}
    await close(agent, talks[0])
    over = await seen(0)
    assert (over["state"], over["agent"], over["ahead"]) == ("closed", None, None)


async def _told(platform: Platform, shop: Shop, count: int) -> list[ShopListed]:
    told = await events(platform, "directory", f"shop:{shop.id}", ShopListed)
    return told if len(told) >= count else []


async def _audited(platform: Platform, shop: Shop) -> list[str]:
    async with platform.service.db.read(shop.id) as session:
        wanted = text("select note from audit where shop_id = :shop and action = 'shop.widget_set'")
        return list((await session.execute(wanted, {"shop": shop.id})).scalars())
