"""Buyers, found by the beginning of a name or a whole phone: masked, by the shop's own, audited."""

import asyncio
from typing import Any

import pytest

from services.conversation.finding.schemas import BUYERS_MOST
from tests.integration.conversation.desk import Person, Platform, Shop, code, ok

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PATH = "/v1/buyers"
PHONE = "13812348000"


async def test_a_name_finds_by_its_beginning_and_shows_nobody_whole(platform: Platform) -> None:
    shop = await platform.shop()
    agent, chen = await shop.staff(), await shop.buyer(name="陈小平", phone=PHONE)
    for name in ("陈大文", "陈", "小陈", "陆陈"):
        await shop.buyer(name=name)
    talk = ok(await chen.post("/v1/conversations", {}), 201)

    found = ok(await agent.get(PATH, q=" 陈 "))
    closer = ok(await agent.get(PATH, q="陈小"))

    assert [one["buyer"]["name"] for one in found["items"]] == ["*", "陈*文", "陈*平"]
    assert found["more"] is False
    [one] = closer["items"]
    assert one["buyer"]["id"] == chen.id
    assert (one["buyer"]["phone"], one["buyer"]["masked"]) == ("138****8000", True)
    assert (one["conversation"]["id"], one["conversation"]["agent_id"]) == (talk["id"], agent.id)
    assert all(item["conversation"] is None for item in found["items"][:2])
    assert "陈小平" not in str(found) + str(closer)
    assert PHONE not in str(found) + str(closer)


async def test_a_phone_finds_whole_alone(platform: Platform) -> None:
    shop = await platform.shop()
    clerk, buyer = await shop.staff("clerk"), await shop.buyer(name="陈小平", phone=PHONE)

    assert _ids(ok(await clerk.get(PATH, q=PHONE))) == [buyer.id]
    assert _ids(ok(await clerk.get(PATH, q="138-1234-8000"))) == [buyer.id]
    for part in ("1381234800", "8000", "138", "138****8000", "138%", "1381234800_"):
        assert _ids(ok(await clerk.get(PATH, q=part))) == [], part


async def test_a_phone_is_found_however_the_shop_wrote_it(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    grouped = await shop.buyer(phone="139-1234-5676")
    coded = await shop.buyer(phone="+8613912345677")

    assert _ids(ok(await agent.get(PATH, q="13912345676"))) == [grouped.id]
    assert _ids(ok(await agent.get(PATH, q="139 1234 5677"))) == [coded.id]


async def test_what_is_said_is_a_beginning_and_no_pattern(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    strange = await shop.buyer(name="%_\\' or 1=1")
    await shop.buyer(name="陈小平")

    assert _ids(ok(await agent.get(PATH, q="%"))) == [strange.id]
    assert _ids(ok(await agent.get(PATH, q="_"))) == []
    assert _ids(ok(await agent.get(PATH, q="%_\\' or 1=1"))) == [strange.id]


async def test_more_than_a_screen_says_so(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    for number in range(BUYERS_MOST + 1):
        await shop.buyer(name=f"王{number:02}")

    found = ok(await agent.get(PATH, q="王"))

    assert (len(found["items"]), found["more"]) == (BUYERS_MOST, True)


async def test_nobody_finds_another_shops_buyers(platform: Platform) -> None:
    shop, other = await platform.shop(), await platform.shop()
    await shop.buyer(name="陈小平", phone=PHONE)

    for role in ("agent", "senior", "aftersales", "complaint", "clerk", "supervisor", "admin"):
        stranger = await other.staff(role)
        for asked in ("陈", PHONE):
            assert ok(await stranger.get(PATH, q=asked)) == {"items": [], "more": False}, role


async def test_a_buyer_finds_nobody_and_a_stranger_is_sent_away(platform: Platform) -> None:
    shop = await platform.shop()
    buyer = await shop.buyer(name="陈小平")

    assert (await buyer.get(PATH, q="陈")).status_code == 403
    assert (await platform.call("GET", PATH, params={"q": "陈"})).status_code == 401


@pytest.mark.parametrize("asked", [None, "", "x" * 65, "a\u0000"])
async def test_what_names_nobody_is_refused(platform: Platform, asked: str | None) -> None:
    agent = await (await platform.shop()).staff()

    answer = await agent.get(PATH, **({} if asked is None else {"q": asked}))

    assert answer.status_code == 422


async def test_blanks_are_refused_and_too_many_looks_too(platform: Platform) -> None:
    agent = await (await platform.shop()).staff()

    assert code(await agent.get(PATH, q="  ")) == (422, "nothing_named")
    answers = await asyncio.gather(*(agent.get(PATH, q="陈") for _ in range(30)))
    assert {one.status_code for one in answers} == {200, 429}


async def test_who_looked_is_kept_without_the_phone(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()

    ok(await agent.get(PATH, q="陈小"))
    ok(await agent.get(PATH, q=PHONE))

    assert await _looks(shop, agent) == ["138****8000", "陈小"]


async def _looks(shop: Shop, person: Person) -> list[str]:
    kept = ok(await shop.boss.get("/v1/audit/conversation", action="buyers_searched"))["items"]
    return [one["note"] for one in kept if one["actor_id"] == person.id]


def _ids(found: dict[str, Any]) -> list[str]:
    return [one["buyer"]["id"] for one in found["items"]]
