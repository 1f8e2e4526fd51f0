"""Lists that a shop's staff look at all the time: queue, team, what is over, some by their ids."""

from typing import Any

import httpx2
import pytest

from services.conversation.lists.schemas import IDS_MOST
from tests.integration.conversation.desk import Person, Platform, ok
from tests.integration.conversation.talking import begin, close
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PATH = "/v1/conversations"
ROLES = ("agent", "senior", "aftersales", "complaint", "clerk", "supervisor", "admin")


async def test_each_list_has_its_own_and_says_since_when_a_buyer_waits(platform: Platform) -> None:
    shop, agent, buyer, talk = await begin(platform)
    said, place = await platform.say(talk, "在吗")
    ok(await agent.put("/v1/agents/me/state", {"state": "suspended"}))
    waiting = ok(await (await shop.buyer()).post(PATH, {}), 201)
    over = ok(await (await shop.buyer()).post(PATH, {}), 201)
    await close(shop.boss, over)

    await eventually(lambda: _is(shop.boss, "team", [talk["id"]], head="在吗"))
    assert await eventually(lambda: _is(shop.boss, "queue", [waiting["id"]]))
    assert await eventually(lambda: _is(shop.boss, "closed", [over["id"]]))

    [row] = await _rows(shop.boss, "team")
    opened = said.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert row["round"] == {"opened_at": opened, "position": [1, place.offset], "first": True}
    assert (row["waiting_since"], row["buyer"]["masked"]) == (opened, True)
    assert (row["unread"], row["read_up_to"]) == (None, None)
    assert buyer.id == row["buyer_id"]


async def test_the_queue_begins_with_who_waits_longest_and_goes_on_by_its_cursor(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    opened = [ok(await (await shop.buyer()).post(PATH, {}), 201)["id"] for _ in range(3)]

    first = ok(await shop.boss.get(PATH, view="queue", limit=2))
    second = ok(await shop.boss.get(PATH, view="queue", limit=2, cursor=first["next_cursor"]))
    elsewhere = await shop.boss.get(PATH, view="team", cursor=first["next_cursor"])

    assert [one["id"] for one in first["items"] + second["items"]] == opened
    assert second["next_cursor"] is None
    assert elsewhere.status_code == 422


async def test_some_are_read_by_their_ids_in_the_order_of_asking(platform: Platform) -> None:
    shop, agent, _, talk = await begin(platform)
    other = ok(await (await shop.buyer()).post(PATH, {}), 201)
    _, _, _, foreign = await begin(platform)
    absent = platform.service.ids.new()

    asked = ",".join([other["id"], absent, foreign["id"], talk["id"], other["id"]])
    found = ok(await agent.get(PATH, ids=asked))

    assert [one["id"] for one in found["items"]] == [other["id"], talk["id"]]
    assert found["next_cursor"] is None
    many = ",".join(platform.service.ids.new() for _ in range(IDS_MOST))
    assert ok(await agent.get(PATH, ids=many))["items"] == []
    assert (await agent.get(PATH, ids=f"{many},{absent}")).status_code == 422


async def test_what_is_the_same_still_is_not_sent_again(platform: Platform) -> None:
    shop, agent, _, talk = await begin(platform)
    asked = {"ids": talk["id"]}
    first = await agent.get(PATH, **asked)

    again = await _unless(platform, agent, first.headers["etag"], asked)
    await close(agent, talk)
    changed = await _unless(platform, agent, first.headers["etag"], asked)

    assert (again.status_code, again.content) == (304, b"")
    assert (changed.status_code, changed.json()["items"][0]["state"]) == (200, "closed")
    listed = await shop.boss.get(PATH, view="closed")
    assert listed.headers["etag"] != first.headers["etag"]


async def test_one_answer_is_everybodys_of_a_shop_and_nobody_elses(platform: Platform) -> None:
    shop, _, _, talk = await begin(platform)
    other = await platform.shop()
    await eventually(lambda: _is(shop.boss, "team", [talk["id"]]))

    for role in ROLES:
        mine = await shop.staff(role, state=None)
        stranger = await other.staff(role, state=None)
        assert [one["id"] for one in await _rows(mine, "team")] == [talk["id"]], role
        assert await _rows(stranger, "team") == [], role
        assert ok(await stranger.get(PATH, ids=talk["id"]))["items"] == [], role


@pytest.mark.parametrize(
    "asked",
    [
        {"view": "mine"},
        {"ids": "x"},
        {"ids": ""},
        {"view": "queue", "state": "closed"},
        {"view": "queue", "ids": "0913cc6e-2da9-81b3-b80a-7785d6bbe5b2"},
    ],
)
async def test_what_makes_no_list_is_refused(platform: Platform, asked: dict[str, str]) -> None:
    shop = await platform.shop()

    assert (await shop.boss.get(PATH, **asked)).status_code == 422


async def test_lists_are_not_for_buyers(platform: Platform) -> None:
    _, _, buyer, talk = await begin(platform)

    assert (await buyer.get(PATH, view="team")).status_code == 403
    assert (await buyer.get(PATH, ids=talk["id"])).status_code == 403


async def _rows(person: Person, view: str) -> list[dict[str, Any]]:
    return list(ok(await person.get(PATH, view=view))["items"])


async def _is(person: Person, view: str, ids: list[str], *, head: str = "") -> bool:
    """Tell whether a list shows these and no others, and these last words of the first."""
    rows = await _rows(person, view)
    is_told = not head or (rows and (rows[0]["head"] or {}).get("preview") == head)
    return [one["id"] for one in rows] == ids and bool(is_told)


async def _unless(
    platform: Platform, person: Person, tag: str, asked: dict[str, str]
) -> httpx2.Response:
    """Ask for what is other than what one has."""
    headers = {"authorization": f"Bearer {person.token}", "if-none-match": tag}
    url = platform.addresses.http + PATH
    return await platform.client.get(url, params=asked, headers=headers)
