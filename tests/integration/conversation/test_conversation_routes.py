"""Conversations through the HTTP door: open, hand on, close, reopen, rate, and who may do it."""

import asyncio

import pytest
from sqlalchemy import text

from tests.integration.conversation.desk import Person, Platform, Shop, code, ok

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

NOWHERE = "01890000-0000-7000-8000-000000000000"


async def _opened(buyer: Person, **wish: object) -> dict[str, object]:
    return ok(await buyer.post("/v1/conversations", wish), 201)


async def test_a_buyer_reaches_an_agent_at_once(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()

    opened = await _opened(await shop.buyer())

    assert opened["state"] == "assigned"
    assert opened["agent_id"] == agent.id
    assert opened["assignment_version"] == opened["version"] == 2


async def test_an_open_conversation_is_returned_and_not_doubled(platform: Platform) -> None:
    shop = await platform.shop()
    buyer = await shop.buyer()

    answers = await asyncio.gather(*(buyer.post("/v1/conversations") for _ in range(8)))

    assert len({ok(answer, 201)["id"] for answer in answers}) == 1


async def test_fifty_requests_with_one_key_have_one_effect(platform: Platform) -> None:
    shop = await platform.shop()
    wish = {"code": "vip", "name": "贵宾"}

    answers = await asyncio.gather(
        *(shop.boss.post("/v1/skill-groups", wish, key="one key") for _ in range(50))
    )

    done = [answer for answer in answers if answer.status_code == 201]
    rest = {code(answer) for answer in answers if answer.status_code != 201}
    assert len({answer.json()["id"] for answer in done}) == 1
    assert rest <= {(409, "idempotency_in_flight")}
    again = await shop.boss.post("/v1/skill-groups", wish, key="one key")
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_key_with_another_body_is_refused(platform: Platform) -> None:
    shop = await platform.shop()
    ok(await shop.boss.post("/v1/skill-groups", {"code": "aa", "name": "a"}, key="k"), 201)

    answer = await shop.boss.post("/v1/skill-groups", {"code": "bb", "name": "b"}, key="k")

    assert code(answer) == (422, "idempotency_key_reused")


async def test_a_transfer_needs_a_note(platform: Platform) -> None:
    shop = await platform.shop()
    giver, taker = await shop.staff(), await shop.staff()
    opened = await _opened(await shop.buyer())
    owner, other = (giver, taker) if opened["agent_id"] == giver.id else (taker, giver)
    path = f"/v1/conversations/{opened['id']}/transfer"

    empty = await owner.post(path, {"to_agent": other.id, "note": "  "})
    moved = await owner.post(path, {"to_agent": other.id, "note": "要改地址"})

    assert code(empty) == (422, "note_missing")
    assert ok(moved)["agent_id"] == other.id
    assert moved.json()["assignment_version"] == moved.json()["version"]


async def test_a_transfer_to_a_group_goes_to_somebody_else(platform: Platform) -> None:
    shop = await platform.shop()
    first = await shop.staff(skill_groups=["pre_sale", "after_sale"])
    second = await shop.staff(skill_groups=["after_sale"])
    opened = await _opened(await shop.buyer(), topic="pre_sale")
    assert opened["agent_id"] == first.id

    wish = {"to_group": "after_sale", "note": "要退款"}
    moved = await first.post(f"/v1/conversations/{opened['id']}/transfer", wish)

    assert ok(moved)["agent_id"] == second.id


@pytest.mark.parametrize(
    ("wish", "slug"),
    [
        ({"note": "x"}, "unknown_target"),
        ({"note": "x", "to_agent": NOWHERE}, "unknown_target"),
        ({"note": "x", "to_agent": NOWHERE, "to_group": "pre_sale"}, "unknown_target"),
        ({"note": "x", "to_group": "nobody"}, "unknown_target"),
        ({"note": "x", "to_group": "pre_sale", "shop_id": "mine"}, "invalid"),
    ],
)
async def test_a_transfer_to_nowhere_is_refused(
    platform: Platform, wish: dict[str, str], slug: str
) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    opened = await _opened(await shop.buyer())

    answer = await agent.post(f"/v1/conversations/{opened['id']}/transfer", wish)

    assert code(answer) == (422, slug)


async def test_nobody_hands_on_to_a_colleague_who_is_away_or_elsewhere(platform: Platform) -> None:
    shop, other_shop = await platform.shop(), await platform.shop()
    agent = await shop.staff()
    resting = await shop.staff(state="break")
    foreign = await other_shop.staff()
    path = f"/v1/conversations/{(await _opened(await shop.buyer()))['id']}/transfer"

    away = await agent.post(path, {"to_agent": resting.id, "note": "n"})
    elsewhere = await agent.post(path, {"to_agent": foreign.id, "note": "n"})

    assert code(away) == (409, "agent_away")
    assert code(elsewhere) == (422, "unknown_target")


async def test_nobody_but_a_leader_hands_on_beyond_a_colleagues_capacity(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    full = await shop.staff(capacity=1)
    await _opened(await shop.buyer())
    giver, leader = await shop.staff(), await shop.staff("supervisor", capacity=0)
    opened = await _opened(await shop.buyer())
    assert opened["agent_id"] == giver.id
    path = f"/v1/conversations/{opened['id']}/transfer"
    wish = {"to_agent": full.id, "note": "n"}

    refused = await giver.post(path, wish)
    by_agent = await giver.post(path, wish | {"force": True})
    by_leader = await leader.post(path, wish | {"force": True})

    assert code(refused) == (409, "agent_full")
    assert (refused.json()["load"], refused.json()["capacity"]) == (1, 1)
    assert code(by_agent) == (403, "forbidden")
    assert ok(by_leader)["agent_id"] == full.id


async def test_only_the_owner_or_a_leader_works_a_conversation(platform: Platform) -> None:
    shop = await platform.shop()
    owner = await shop.staff()
    colleague = await shop.staff(state=None)
    leader = await shop.staff("supervisor", capacity=0)
    path = f"/v1/conversations/{(await _opened(await shop.buyer()))['id']}"

    assert code(await colleague.post(f"{path}/close")) == (403, "not_owner")
    assert code(await colleague.post(f"{path}/stage", {"stage": "verify"})) == (403, "not_owner")
    assert ok(await owner.post(f"{path}/stage", {"stage": "verify"}))["stage"] == "verify"
    assert code(await owner.post(f"{path}/stage", {"stage": "welcome"}))[0] == 409
    assert ok(await leader.post(f"{path}/close"))["state"] == "closed"


async def test_a_foreign_conversation_answers_like_none_at_all(platform: Platform) -> None:
    shop, other_shop = await platform.shop(), await platform.shop()
    mine, foreign = await shop.buyer(), await other_shop.buyer()
    opened = await _opened(mine)
    strangers = [
        await other_shop.staff(state=None),
        await other_shop.staff("supervisor"),
        other_shop.boss,
        foreign,
        await shop.buyer(),
    ]
    paths = ("", "/messages")

    for stranger in strangers:
        for tail in paths:
            theirs = await stranger.get(f"/v1/conversations/{opened['id']}{tail}")
            nobodys = await stranger.get(f"/v1/conversations/{NOWHERE}{tail}")
            malformed = await stranger.get(f"/v1/conversations/no-id{tail}")
            shown = [{**one.json(), "trace_id": ""} for one in (theirs, nobodys, malformed)]
            assert shown[0] == shown[1] == shown[2]
            assert code(theirs) == (404, "not_found")
    for tail, body in (("close", {}), ("reopen", {}), ("stage", {"stage": "verify"})):
        answer = await strangers[1].post(f"/v1/conversations/{opened['id']}/{tail}", body)
        assert code(answer) == (404, "not_found")


async def test_a_refused_look_at_another_shop_is_recorded(platform: Platform) -> None:
    shop, other_shop = await platform.shop(), await platform.shop()
    opened = await _opened(await shop.buyer())

    await other_shop.boss.get(f"/v1/conversations/{opened['id']}")

    found = await _audit(platform, shop)
    assert found == [(other_shop.boss.id, "refused", opened["id"])]
    assert await _audit(platform, other_shop) == []


async def test_guessing_ids_is_slowed_down(platform: Platform) -> None:
    shop = await platform.shop()

    asked = [shop.boss.get(f"/v1/conversations/{NOWHERE}") for _ in range(100)]
    answers = await asyncio.gather(*asked)

    slowed = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {404, 429}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in slowed)


async def test_closing_frees_the_slot_for_whoever_waits_longest(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff(capacity=1)
    first = await _opened(await shop.buyer())
    second = await _opened(await shop.buyer())
    third = await _opened(await shop.buyer())
    assert [one["state"] for one in (first, second, third)] == ["assigned", "queued", "queued"]

    ok(await agent.post(f"/v1/conversations/{first['id']}/close", {"reason": "done"}))

    path = "/v1/conversations"
    assert ok(await agent.get(f"{path}/{second['id']}"))["state"] == "assigned"
    assert ok(await agent.get(f"{path}/{third['id']}"))["state"] == "queued"


async def test_a_buyer_who_comes_back_soon_meets_the_same_agent(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    buyer = await shop.buyer()
    opened = await _opened(buyer)
    ok(await agent.post(f"/v1/conversations/{opened['id']}/close"))
    idle = await shop.staff()

    again = await _opened(buyer)

    assert again["id"] == opened["id"]
    assert again["agent_id"] == agent.id != idle.id


async def test_the_buyer_rates_once(platform: Platform) -> None:
    shop = await platform.shop()
    buyer = await shop.buyer()
    path = f"/v1/conversations/{(await _opened(buyer))['id']}/rating"

    assert code(await buyer.post(path, {"score": 6}))[0] == 422
    assert ok(await buyer.post(path, {"score": 5}))["score"] == 5
    assert ok(await buyer.post(path, {"score": 5}))["score"] == 5
    assert code(await buyer.post(path, {"score": 1})) == (409, "already_rated")
    assert code(await shop.boss.post(path, {"score": 1})) == (403, "forbidden")


async def test_lists_are_paged_by_signed_cursors(platform: Platform) -> None:
    shop, other_shop = await platform.shop(), await platform.shop()
    opened = [await _opened(await shop.buyer()) for _ in range(5)]
    seen: list[str] = []
    cursor, kept = None, ""
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = ok(await shop.boss.get("/v1/conversations", **params))
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        kept = cursor

    assert seen == [one["id"] for one in reversed(opened)]
    foreign = await other_shop.boss.get("/v1/conversations", cursor=kept)
    tampered = await shop.boss.get("/v1/conversations", cursor=kept[:-3] + "abc")
    assert code(foreign) == code(tampered) == (422, "bad_cursor")
    assert (await shop.boss.get("/v1/conversations", limit=1000)).status_code == 422
    assert (await shop.boss.get("/v1/conversations", state="1;--")).status_code == 422


@pytest.mark.parametrize(
    "path", ["/v1/conversations", "/v1/agents", "/v1/staff", "/v1/skill-groups", "/v1/inbox"]
)
async def test_a_mistyped_filter_is_refused_by_its_name(platform: Platform, path: str) -> None:
    shop = await platform.shop()

    refused = await shop.boss.get(path, stat="open")

    assert code(refused) == (422, "invalid")
    assert [one["parameter"] for one in refused.json()["errors"]] == ["stat"]


async def test_agents_are_listed_page_by_page_without_those_who_receive_no_buyers(
    platform: Platform,
) -> None:
    shop, other_shop = await platform.shop(), await platform.shop()
    hired = [await shop.staff(state=None) for _ in range(3)]
    await shop.staff("clerk")
    gone = await shop.staff(state=None)
    ok(await shop.boss.patch(f"/v1/staff/{gone.id}", {"active": False}))

    first = ok(await hired[0].get("/v1/agents", limit=2))
    rest = ok(await hired[0].get("/v1/agents", limit=2, cursor=first["next_cursor"]))

    assert [one["id"] for one in first["items"] + rest["items"]] == [one.id for one in hired]
    assert rest["next_cursor"] is None
    foreign = await other_shop.boss.get("/v1/agents", cursor=first["next_cursor"])
    elsewhere = await shop.boss.get("/v1/staff", cursor=first["next_cursor"])
    assert code(foreign) == code(elsewhere) == (422, "bad_cursor")
    assert (await hired[0].get("/v1/agents", limit=201)).status_code == 422


async def test_a_buyer_lists_only_his_own(platform: Platform) -> None:
    shop = await platform.shop()
    mine, other = await shop.buyer(), await shop.buyer()
    await _opened(other)
    opened = await _opened(mine)

    listed = ok(await mine.get("/v1/conversations"))

    assert [one["id"] for one in listed["items"]] == [opened["id"]]
    assert [one["id"] for one in ok(await mine.get("/v1/inbox"))["conversations"]] == [opened["id"]]


async def test_a_profile_is_masked_for_all_but_the_buyer(platform: Platform) -> None:
    shop = await platform.shop()
    owner = await shop.staff()
    colleague = await shop.staff(state=None)
    known = {"name": "陈小平", "phone": "13812348000", "address": "浙江省杭州市西湖区文三路1号"}
    buyer = await shop.buyer(**known)
    path = f"/v1/conversations/{(await _opened(buyer))['id']}"
    masked = {"name": "陈*平", "phone": "138****8000", "address": "浙江省杭州市西湖区***"}

    own = ok(await buyer.get(path))["buyer"]
    seen = [ok(await one.get(path))["buyer"] for one in (owner, colleague, shop.boss)]
    inbox = ok(await owner.get("/v1/inbox"))["conversations"][0]["buyer"]

    assert {name: own[name] for name in known} == known
    assert [{name: one[name] for name in known} for one in (*seen, inbox)] == [masked] * 4
    assert [one["masked"] for one in (own, *seen)] == [False, True, True, True]
    assert [one["external_id"] is None for one in seen] == [False, True, True]


async def test_every_decision_is_stored_with_its_reason_and_candidates(platform: Platform) -> None:
    shop = await platform.shop()
    opened = await _opened(await shop.buyer())
    agent = await shop.staff()
    path = f"/v1/conversations/{opened['id']}/decisions"

    latest, first = ok(await agent.get(path))["items"]

    assert (first["reason"], first["agent_id"], first["trigger"]) == (
        "nobody_online", None, "opened",
    )  # fmt: skip
    assert (latest["reason"], latest["agent_id"]) == ("least_loaded", agent.id)
    assert [one["agent_id"] for one in latest["candidates"]] == [agent.id]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/conversations"),
        ("GET", "/v1/inbox"),
        ("GET", "/v1/agents"),
        ("POST", "/v1/conversations"),
        ("POST", "/v1/shops"),
        ("POST", "/v1/staff"),
        ("PUT", "/v1/agents/me/state"),
        ("DELETE", "/v1/sessions"),
    ],
)
async def test_nothing_is_told_without_a_token(platform: Platform, method: str, path: str) -> None:
    assert (await platform.call(method, path, body={})).status_code == 401


async def test_internal_routes_take_service_tokens_alone(platform: Platform) -> None:
    shop = await platform.shop()
    url = f"{platform.addresses.admin}/internal/inbox/{shop.boss.id}?role=admin&shop={shop.id}"

    headers = {"authorization": f"Bearer {shop.boss.token}"}
    by_person = await platform.client.get(url, headers=headers)
    public = await shop.boss.get(f"/internal/inbox/{shop.boss.id}")

    assert by_person.status_code == 401
    assert public.status_code == 404


async def _audit(platform: Platform, shop: Shop) -> list[tuple[str, str, str]]:
    async with platform.service.db.read_across("a test") as session:
        rows = await session.execute(
            text("select actor_id, action, object_id from audit where shop_id = :shop"),
            {"shop": shop.id},
        )
        return [(row.actor_id, row.action, row.object_id) for row in rows]
