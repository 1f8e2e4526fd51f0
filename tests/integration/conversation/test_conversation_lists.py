"""Lists of a shop's conversations: in either order, each with its last words (F3, F5)."""

from collections.abc import Mapping
from typing import Any

import pytest

from contracts.people import SenderKind
from tests.integration.conversation.desk import Person, Platform, code, ok
from tests.integration.conversation.talking import begin, has_text
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_staff_see_the_last_words_of_each_and_whose_they_are(platform: Platform) -> None:
    shop, agent, buyer, talk = await begin(platform)
    assert await _heads(shop.boss) == {talk["id"]: None}

    said, place = await platform.say(talk, "在吗\n\n 我昨天下的单")
    await eventually(lambda: has_text(agent, talk, "在吗\n\n 我昨天下的单"))

    assert await _heads(shop.boss) == {
        talk["id"]: {
            "position": [1, place.offset],
            "by": "buyer",
            "kind": "text",
            "preview": "在吗 我昨天下的单",
            "at": said.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
    }
    assert (await _heads(buyer)) == {talk["id"]: None}


async def test_staff_list_what_one_buyer_came_for_and_a_buyer_nobody_elses(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    agent, one, other = await shop.staff(), await shop.buyer(), await shop.buyer()
    first = ok(await one.post("/v1/conversations", {}), 201)
    second = ok(await other.post("/v1/conversations", {}), 201)

    of_one = ok(await agent.get("/v1/conversations", buyer_id=one.id))["items"]
    peeked = ok(await other.get("/v1/conversations", buyer_id=one.id))["items"]

    assert [found["id"] for found in of_one] == [first["id"]]
    assert [found["id"] for found in peeked] == [second["id"]]


@pytest.mark.parametrize(
    ("kind", "d", "preview"),
    [
        ("text", {"text": "长" * 61}, "长" * 60),
        ("text", {"text": "😀" * 61}, "😀" * 60),
        ("text", {"text": "\t \n"}, ""),
        ("image", {"url": "https://shop.example/a.png", "alt": "一张图"}, ""),
        ("card", {"title": "订单", "text": "请核对"}, ""),
    ],
)
async def test_a_preview_is_one_short_line_of_text(
    platform: Platform, kind: str, d: dict[str, Any], preview: str
) -> None:
    shop, agent, _, talk = await begin(platform)
    await platform.say(talk, "先", kind=SenderKind.BUYER)
    said, _ = await platform.say(talk, "", kind=SenderKind.AGENT, assignment_version=2)
    shown = {"kind": kind, "d": d, "id": platform.service.ids.new(), "body_hash": "e" * 32}
    place = await platform.publish(said.model_copy(update=shown))

    async def there() -> Mapping[str, Any] | None:
        head = (await _heads(agent))[talk["id"]]
        return head if head and head["position"] == [1, place.offset] else None

    head = await eventually(there)
    assert head is not None
    assert (head["by"], head["kind"], head["preview"]) == ("agent", kind, preview)
    assert await _heads(shop.boss, state="queued") == {}


async def test_the_oldest_come_first_where_that_is_asked_for(platform: Platform) -> None:
    shop = await platform.shop()
    opened = [ok(await (await shop.buyer()).post("/v1/conversations"), 201) for _ in range(5)]
    first = ok(await shop.boss.get("/v1/conversations", state="queued", order="asc", limit=2))
    second = ok(await _next(shop.boss, first))
    third = ok(await _next(shop.boss, second))

    pages = [[one["id"] for one in page["items"]] for page in (first, second, third)]
    ids = [one["id"] for one in opened]
    assert pages == [ids[:2], ids[2:4], ids[4:]]
    assert third["next_cursor"] is None
    other_way = await shop.boss.get("/v1/conversations", cursor=first["next_cursor"])
    assert code(other_way) == (422, "bad_cursor")
    assert (await shop.boss.get("/v1/conversations", order="up")).status_code == 422


async def _next(boss: Person, page: Mapping[str, Any]) -> Any:
    cursor = page["next_cursor"]
    return await boss.get("/v1/conversations", state="queued", order="asc", limit=2, cursor=cursor)


async def _heads(reader: Person, **which: Any) -> dict[str, Any]:
    page = ok(await reader.get("/v1/conversations", **which))
    return {one["id"]: one["head"] for one in page["items"]}
