"""Buyers are masked for staff; who looks says why, and the shop can read who looked (F12)."""

from typing import Any

import pytest

from tests.integration.conversation.desk import Person, Platform, Shop, code, ok
from tests.integration.conversation.talking import close

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

KNOWN = {"name": "陈小平", "phone": "13812348000", "address": "浙江省杭州市西湖区文三路1号"}
MASKED = {"name": "陈*平", "phone": "138****8000", "address": "浙江省杭州市西湖区***"}


async def _served(shop: Shop) -> tuple[Person, Person, str]:
    """Return a buyer, who serves him, and their conversation."""
    owner = await shop.staff()
    buyer = await shop.buyer(**KNOWN)
    talk = ok(await buyer.post("/v1/conversations", {}), 201)
    return buyer, owner, str(talk["id"])


async def _looks(shop: Shop) -> list[tuple[str, str, str]]:
    entries = ok(await shop.boss.get("/v1/audit/conversation", action="buyer_revealed"))["items"]
    return [(one["actor_id"], one["object_id"], one["note"]) for one in entries]


def _path(buyer: Person) -> str:
    return f"/v1/buyers/{buyer.id}/reveal"


async def test_who_serves_a_buyer_sees_him_whole_by_one_click_and_it_is_recorded(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    buyer, owner, talk = await _served(shop)
    assert await _buyer(owner, talk) == MASKED

    answer = await owner.post(_path(buyer), {"reason": "phone"})

    shown = ok(answer)
    assert {name: shown[name] for name in KNOWN} == KNOWN
    assert answer.headers["cache-control"] == "no-store"
    assert await _looks(shop) == [(owner.id, buyer.id, "phone")]
    assert await _buyer(owner, talk) == MASKED


async def test_others_say_in_words_why_they_look(platform: Platform) -> None:
    shop = await platform.shop()
    buyer, owner, talk = await _served(shop)
    colleague = await shop.staff(state=None)

    unsaid = await colleague.post(_path(buyer), {"reason": "refund"})
    short = await colleague.post(_path(buyer), {"reason": "refund", "text": "要"})
    unseen = await colleague.post(_path(buyer), {"reason": "refund", "text": "\u200b" * 4})
    said = await colleague.post(_path(buyer), {"reason": "refund", "text": "买家来电退款"})
    await close(owner, {"id": talk})
    after = await owner.post(_path(buyer), {"reason": "phone"})

    assert code(unsaid) == (422, "words_missing")
    assert code(short) == (422, "invalid")
    assert code(unseen) == (422, "words_missing")
    assert ok(said)["phone"] == KNOWN["phone"]
    assert code(after) == (422, "words_missing")
    assert await _looks(shop) == [(colleague.id, buyer.id, "refund: 买家来电退款")]


async def test_another_shops_buyer_is_as_absent_as_one_who_never_was(platform: Platform) -> None:
    shop, other = await platform.shop(), await platform.shop()
    buyer, _, _ = await _served(shop)
    stranger = await other.staff("supervisor")
    look = {"reason": "other", "text": "只是看看"}

    foreign = await stranger.post(_path(buyer), look)
    absent = await stranger.post(f"/v1/buyers/{platform.service.ids.new()}/reveal", look)
    none = await stranger.post("/v1/buyers/nobody/reveal", look)

    assert [one.status_code for one in (foreign, absent, none)] == [404] * 3
    assert await _looks(shop) == []
    assert (await buyer.post(_path(buyer), look)).status_code == 403


async def test_an_hour_has_sixty_looks_of_one_person(platform: Platform) -> None:
    shop = await platform.shop()
    buyer, owner, _ = await _served(shop)

    answers = [await owner.post(_path(buyer), {"reason": "phone"}) for _ in range(61)]

    assert [one.status_code for one in answers] == [200] * 60 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert len(await _looks(shop)) == 50  # a page of the audit
    colleague = await shop.staff(state=None)
    other = await colleague.post(_path(buyer), {"reason": "phone", "text": "买家来电"})
    assert other.status_code == 200


async def _buyer(person: Person, talk: str) -> dict[str, Any]:
    seen = ok(await person.get(f"/v1/conversations/{talk}"))["buyer"]
    return {name: seen[name] for name in KNOWN}
