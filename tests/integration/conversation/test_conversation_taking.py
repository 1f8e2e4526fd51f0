"""Taking a conversation oneself and giving it back (F11): who may, what it counts, who is asked."""

from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from contracts.conversation import ConversationAssigned, ConversationTransferred
from tests.integration.conversation.desk import Person, Platform, Shop, code, ok
from tests.integration.conversation.shift import buyer_says, open_talk, talk_now
from tests.integration.conversation.talking import begin, close, events, told

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def taken(
    who: Person, talk: Mapping[str, Any], version: int | None = None, **body: object
) -> httpx2.Response:
    """Take a conversation as it stands now, or as it stood at a version."""
    if version is None:
        version = (await talk_now(who, talk))["version"]
    return await who.post(f"/v1/conversations/{talk['id']}/take", body, version=version)


async def given_back(who: Person, talk: Mapping[str, Any], **body: object) -> httpx2.Response:
    return await who.post(f"/v1/conversations/{talk['id']}/give-back", body)


async def waiting(shop: Shop) -> dict[str, Any]:
    """Return a conversation for which nobody was there."""
    talk = await open_talk(await shop.buyer())
    assert talk["state"] == "queued"
    return talk


async def busy(shop: Shop, **wish: Any) -> Person:
    """Return an agent on duty to whom routing gives nobody new."""
    agent = await shop.staff(state=None, **wish)
    await agent.be("busy")
    return agent


async def test_an_agent_on_duty_takes_a_buyer_from_the_queue(platform: Platform) -> None:
    shop = await platform.shop()
    talk = await waiting(shop)
    agent = await busy(shop)
    read = await agent.get(f"/v1/conversations/{talk['id']}")
    assert read.headers["etag"] == f'"{ok(read)["version"]}"'

    answer = await taken(agent, talk)

    assert answer.headers["etag"] == f'"{ok(answer)["version"]}"'
    now = await talk_now(agent, talk)
    assert (now["state"], now["agent_id"], now["mode"]) == ("assigned", agent.id, "routed")
    assert [one["id"] for one in ok(await agent.get("/v1/inbox"))["conversations"]] == [talk["id"]]
    (event,) = await told(platform, agent, talk, ConversationAssigned)
    assert (event.agent_id, event.reason, event.mode) == (agent.id, "taken", "routed")
    decisions = ok(await agent.get(f"/v1/conversations/{talk['id']}/decisions"))["items"]
    assert (decisions[0]["reason"], decisions[0]["agent_id"]) == ("taken", agent.id)


async def test_only_who_is_of_the_group_on_duty_and_has_room_takes_from_the_queue(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    talk = await waiting(shop)
    away = await shop.staff(state=None)
    full = await busy(shop, capacity=0)
    foreign = await busy(shop, skill_groups=["complaint"])
    clerk = await shop.staff("clerk")

    assert code(await taken(away, talk)) == (409, "not_on_duty")
    assert code(await taken(full, talk)) == (409, "agent_full")
    assert code(await taken(full, talk, force=True)) == (403, "forbidden")
    assert code(await taken(foreign, talk)) == (403, "not_your_group")
    assert code(await taken(clerk, talk)) == (403, "forbidden")
    assert (await talk_now(shop.boss, talk))["state"] == "queued"

    senior = await shop.staff("senior", capacity=0)
    await senior.be("busy")
    assert code(await taken(senior, talk)) == (409, "agent_full")
    assert ok(await taken(senior, talk, force=True))["agent_id"] == senior.id


async def test_a_leader_off_duty_takes_whom_he_likes_and_it_is_in_nobodys_load(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    leader = await shop.staff("supervisor", capacity=1)
    talks = [await waiting(shop) for _ in range(3)]

    for talk in talks[:2]:
        assert ok(await taken(leader, talk))["mode"] == "taken"

    await leader.be("online")
    assert (await talk_now(leader, talks[2]))["agent_id"] == leader.id
    assert [(await talk_now(leader, one))["mode"] for one in talks] == ["taken", "taken", "routed"]


async def test_a_leader_takes_over_with_a_note_and_frees_the_agents_place(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    agent = await shop.staff(capacity=1)
    buyer = await shop.buyer()
    talk = await open_talk(buyer)
    await buyer_says(platform, talk, "我要投诉")
    asked = (await talk_now(agent, talk))["waiting_since"]
    next_one = await waiting(shop)
    leader = await shop.staff("supervisor")
    assert code(await taken(leader, talk)) == (422, "note_missing")
    for unseen in (" ", "\u200b\u3164"):
        assert code(await taken(leader, talk, note=unseen)) == (422, "note_missing")

    ok(await taken(leader, talk, note="我来处理"))

    now = await talk_now(leader, talk)
    assert (now["agent_id"], now["mode"], now["waiting_since"]) == (leader.id, "taken", asked)
    assert (await talk_now(agent, next_one))["agent_id"] == agent.id
    (event,) = await told(platform, agent, talk, ConversationTransferred)
    assert (event.from_agent_id, event.to_agent_id, event.by) == (agent.id, leader.id, leader.id)
    assert (event.note, event.mode) == ("我来处理", "taken")
    assert (await talk_now(buyer, talk))["mode"] is None
    assert (await talk_now(buyer, talk))["agent"] == {"name": leader.login, "online": True}
    rows = ok(await shop.boss.get("/v1/audit/conversation", object=talk["id"]))["items"]
    assert [(one["action"], one["actor_id"], one["note"]) for one in rows] == [
        ("conversation.taken_over", leader.id, "我来处理")
    ]


async def test_a_colleagues_buyer_is_a_leaders_to_take_alone(platform: Platform) -> None:
    shop, agent, _, talk = await begin(platform)
    other = await busy(shop)
    senior = await shop.staff("senior")

    assert code(await taken(other, talk, note="给我")) == (403, "not_owner")
    assert code(await taken(senior, talk, note="给我")) == (403, "not_owner")

    assert (await talk_now(agent, talk))["agent_id"] == agent.id


async def test_whoever_was_slower_is_told_who_has_it(platform: Platform) -> None:
    shop, agent, buyer, talk = await begin(platform)
    leader = await shop.staff("supervisor")
    seen = (await talk_now(leader, talk))["version"]
    path = f"/v1/conversations/{talk['id']}/take"
    assert code(await leader.post(path, {"note": "n"})) == (428, "precondition_required")

    slower = await taken(leader, talk, version=seen - 1, note="n")

    assert code(slower) == (412, "stale")
    assert slower.json()["agent_id"] == agent.id
    assert slower.json()["current"] == f'"{seen}"'
    unchanged = ok(await taken(agent, talk, version=0))
    assert (unchanged["agent_id"], unchanged["version"]) == (agent.id, seen)
    await close(agent, talk)
    assert code(await taken(leader, talk, version=seen, note="n")) == (409, "conversation_closed")
    foreign = await (await platform.shop()).staff("supervisor")
    assert code(await taken(foreign, talk, version=seen, note="n")) == (404, "not_found")
    assert code(await taken(buyer, talk, version=seen)) == (403, "forbidden")


async def test_what_is_given_back_returns_to_who_had_it_at_the_buyers_old_clock(
    platform: Platform,
) -> None:
    shop, agent, buyer, talk = await begin(platform)
    await buyer_says(platform, talk, "在吗")
    asked = (await talk_now(agent, talk))["waiting_since"]
    other = await shop.staff()
    leader = await shop.staff("supervisor")
    ok(await taken(leader, talk, note="我来处理"))

    back = ok(await given_back(leader, talk, note="已经说好了"))

    assert (back["agent_id"], back["mode"], back["waiting_since"]) == (agent.id, "routed", asked)
    events_told = await told(platform, agent, talk, ConversationTransferred)
    assert (events_told[-1].to_agent_id, events_told[-1].note) == (None, "已经说好了")
    assert events_told[-1].waiting_since is not None
    assert ok(await other.get("/v1/inbox"))["conversations"] == []
    items = ok(await buyer.get(f"/v1/conversations/{talk['id']}/messages"))["items"]
    assert "已经说好了" not in str(items)


async def test_what_waits_already_stays_as_it_is_when_it_is_given_back(platform: Platform) -> None:
    shop = await platform.shop()
    talk = await waiting(shop)
    leader = await shop.staff("supervisor")
    ok(await taken(leader, talk))

    first = ok(await given_back(leader, talk))
    again = ok(await given_back(leader, talk))

    assert (first["state"], first["mode"]) == ("queued", None)
    assert again == first
    assert len(await events(platform, "chat", talk["id"], ConversationTransferred)) <= 1


async def test_nobody_but_its_owner_gives_a_conversation_back(platform: Platform) -> None:
    shop, agent, _, talk = await begin(platform)
    leader = await shop.staff("supervisor")

    assert code(await given_back(leader, talk)) == (403, "not_owner")
    assert (await talk_now(agent, talk))["agent_id"] == agent.id
    await close(agent, talk)
    assert code(await given_back(agent, talk)) == (409, "conversation_closed")


async def test_the_buyers_word_takes_nothing_from_a_leader_off_duty(platform: Platform) -> None:
    shop, agent, _, talk = await begin(platform)
    leader = await shop.staff("supervisor")
    ok(await taken(leader, talk, note="我来处理"))

    await buyer_says(platform, talk, "你是谁")
    await buyer_says(platform, talk, "说话呀")
    await leader.be("break")
    await leader.be("offline")
    await platform.service.sweeps.relieve()

    assert (await talk_now(agent, talk))["agent_id"] == leader.id
