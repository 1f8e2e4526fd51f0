"""Quick replies: one's own, the shop's, and how often they are taken."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from services.conversation.seed import DEMO_PHRASES
from tests.integration.conversation.desk import PASSWORD, Person, Platform, Shop, code, ok

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

HELLO = {"title": "问候", "words": "您好，请问有什么可以帮您？"}
BYE = {"title": "告别", "words": "祝您生活愉快"}
SET, MINE = "/v1/phrases/sets", "/v1/phrases/mine"


async def test_ones_own_are_ones_own_and_are_written_against_what_was_read(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    agent, other = await shop.staff(), await shop.staff()
    assert ok(await agent.get(MINE)) == {"version": 0, "phrases": []}

    first = await _put(agent, [HELLO, BYE], version=0)

    assert (first.status_code, first.headers["etag"]) == (200, '"1"')
    kept = ok(await agent.get("/v1/phrases"))
    assert [_texts(one) for one in kept["mine"]["phrases"]] == [HELLO, BYE]
    assert kept["shop"] == {"version": 0, "phrases": []}
    assert ok(await other.get(MINE)) == {"version": 0, "phrases": []}

    assert code(await _put(agent, [BYE], version=0)) == (412, "stale")
    assert code(await agent.put(MINE, {"phrases": []})) == (428, "precondition_required")
    assert ok(await agent.get(MINE)) == first.json()


async def test_a_phrase_that_is_changed_or_moved_keeps_its_count(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    hello, bye = ok(await _put(agent, [HELLO, BYE], version=0))["phrases"]
    ok(await agent.post(f"/v1/phrases/{bye['id']}/use"))

    wanted = [{"id": bye["id"], "title": "再见", "words": BYE["words"]}, HELLO]
    changed = ok(await _put(agent, wanted, version=1))

    assert changed["version"] == 2
    [moved, fresh] = changed["phrases"]
    assert moved == {"id": bye["id"], "title": "再见", "words": BYE["words"], "uses": 1}
    assert (_texts(fresh), fresh["uses"]) == (HELLO, 0)
    assert fresh["id"] != hello["id"]


async def test_the_shops_set_is_there_for_everybody_at_once_and_in_the_audit(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    leader, agent = await shop.staff("supervisor"), await shop.staff()

    made = ok(await leader.post(SET, {"phrases": [HELLO], "base": 0}, key="set-1"), 201)
    again = await leader.post(SET, {"phrases": [HELLO], "base": 0}, key="set-1")

    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.json() == made == ok(await agent.get("/v1/phrases"))["shop"]
    assert made["version"] == 1
    stale = await shop.boss.post(SET, {"phrases": [BYE], "base": 0})
    assert code(stale) == (412, "stale")
    assert ok(await shop.boss.post(SET, {"phrases": [BYE]}), 201)["version"] == 2
    assert await _audited(platform, shop) == ["version 1, 1 phrases", "version 2, 1 phrases"]


async def test_a_use_is_counted_once_however_often_it_is_told(platform: Platform) -> None:
    shop = await platform.shop()
    agent, other = await shop.staff(), await shop.staff()
    [hello] = ok(await shop.boss.post(SET, {"phrases": [HELLO]}), 201)["phrases"]
    [own] = ok(await _put(agent, [BYE], version=0))["phrases"]

    assert ok(await agent.post(f"/v1/phrases/{hello['id']}/use", key="u"))["uses"] == 1
    assert ok(await agent.post(f"/v1/phrases/{hello['id']}/use", key="u"))["uses"] == 1
    assert ok(await other.post(f"/v1/phrases/{hello['id']}/use", key="u"))["uses"] == 2
    assert code(await other.post(f"/v1/phrases/{own['id']}/use")) == (404, "not_found")

    assert ok(await agent.get("/v1/phrases"))["shop"]["phrases"][0]["uses"] == 2


async def test_another_shops_are_neither_seen_nor_used_nor_changed(platform: Platform) -> None:
    shop, other = await platform.shop(), await platform.shop()
    stranger = await other.staff()
    [hello] = ok(await shop.boss.post(SET, {"phrases": [HELLO]}), 201)["phrases"]

    assert ok(await stranger.get("/v1/phrases"))["shop"] == {"version": 0, "phrases": []}
    assert code(await stranger.post(f"/v1/phrases/{hello['id']}/use")) == (404, "not_found")
    taken = [{"id": hello["id"]} | BYE]
    assert code(await _put(stranger, taken, version=0)) == (422, "unknown_phrase")
    assert code(await other.boss.post(SET, {"phrases": taken})) == (422, "unknown_phrase")

    assert ok(await shop.boss.get("/v1/phrases"))["shop"]["phrases"] == [hello]


async def test_agents_read_the_shops_set_and_buyers_nothing(platform: Platform) -> None:
    shop = await platform.shop()
    agent, buyer = await shop.staff(), await shop.buyer()

    assert (await agent.post(SET, {"phrases": [HELLO]})).status_code == 403
    assert (await buyer.get("/v1/phrases")).status_code == 403
    assert (await buyer.get(MINE)).status_code == 403
    assert ok(await agent.get("/v1/phrases"))["shop"]["version"] == 0


@pytest.mark.parametrize(
    "phrases",
    [
        [{"title": " ", "words": "您好"}],
        [{"title": "问候", "words": "\u200b\n"}],
        [{"title": "问候", "words": "a\u0000b"}],
        [{"title": "问候", "words": "您" * 2001}],
        [{"title": "问" * 81, "words": "您好"}],
        [{"title": "问候"}],
        [HELLO | {"uses": 7}],
        [HELLO] * 501,
    ],
)
async def test_what_is_no_phrase_is_refused(platform: Platform, phrases: list[Any]) -> None:
    shop = await platform.shop()
    agent = await shop.staff()

    refused = await _put(agent, phrases, version=0)

    assert refused.status_code == 422
    assert ok(await agent.get(MINE)) == {"version": 0, "phrases": []}


async def test_as_many_as_are_allowed_are_kept_in_order(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    wanted = [{"title": f"第{number}句", "words": "您好"} for number in range(500)]

    ok(await _put(agent, wanted, version=0))

    shown = ok(await agent.get(MINE))["phrases"]
    assert [one["title"] for one in shown] == [one["title"] for one in wanted]


async def test_who_has_them_is_told_that_nothing_changed(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    tag = (await agent.get("/v1/phrases")).headers["etag"]

    same = await _get(agent, tag)
    ok(await shop.boss.post(SET, {"phrases": [HELLO]}), 201)
    other = await _get(agent, tag)

    assert (same.status_code, same.content) == (304, b"")
    assert (other.status_code, other.json()["shop"]["version"]) == (200, 1)


async def test_a_newcomer_finds_phrases_in_the_demo_shop(platform: Platform) -> None:
    agent = await platform.sign_in("agent1@demo", PASSWORD)

    shown = ok(await agent.get("/v1/phrases"))["shop"]

    assert shown["version"] == 1
    assert {one["title"]: one["words"] for one in shown["phrases"]} == DEMO_PHRASES


async def _put(person: Person, phrases: list[Any], *, version: int) -> httpx2.Response:
    return await person.platform.client.put(
        person.platform.addresses.http + MINE,
        json={"phrases": phrases},
        headers={"authorization": f"Bearer {person.token}", "if-match": f'"{version}"'},
    )


async def _get(person: Person, tag: str) -> httpx2.Response:
    return await person.platform.client.get(
        person.platform.addresses.http + "/v1/phrases",
        headers={"authorization": f"Bearer {person.token}", "if-none-match": tag},
    )


def _texts(phrase: dict[str, Any]) -> dict[str, Any]:
    return {name: phrase[name] for name in ("title", "words")}


async def _audited(platform: Platform, shop: Shop) -> list[str]:
    wanted = text(
        "select note from audit where shop_id = :shop and action = 'phrases.set_published'"
        " order by id"
    )
    async with platform.service.db.read(shop.id) as session:
        return list((await session.execute(wanted, {"shop": shop.id})).scalars())
