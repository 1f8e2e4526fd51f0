"""What somebody has in hand: the last words of each, its clock, and what is new to him (F3)."""

from collections.abc import Mapping
from typing import Any

import pytest

from contracts.base import rfc3339
from contracts.conversation import ConversationAssigned
from contracts.gateway import SignalSent
from contracts.people import ConversationId, PersonId, SenderKind, ShopId
from contracts.topics import CHAT
from tests.integration.conversation.desk import Person, Platform, ok
from tests.integration.conversation.talking import begin, has_text, told
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_the_inbox_of_staff_says_how_each_conversation_stands(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)
    seat = ok(await agent.get(f"/v1/conversations/{talk['id']}"))["assignment_version"]
    first, first_at = await platform.say(talk, "在吗")
    await platform.say(talk, "稍等", kind=SenderKind.AUTO)
    last, last_at = await platform.say(talk, "还在吗\n急")
    await eventually(lambda: has_text(agent, talk, "还在吗\n急"))

    row = await _row(agent, talk)
    assert row["head"] == {
        "position": [1, last_at.offset],
        "by": "buyer",
        "kind": "text",
        "preview": "还在吗 急",
        "at": rfc3339(last.time),
    }
    waits = {"opened_at": rfc3339(first.time), "position": [1, first_at.offset], "first": True}
    assert (row["round"], row["unread"], row["read_up_to"]) == (waits, 2, None)

    await _read(platform, talk, agent, first_at.offset)
    await eventually(lambda: _is(agent, talk, unread=1, read_up_to=[1, first_at.offset]))
    assert (await _row(agent, talk))["round"] == waits

    await platform.say(talk, "在的", kind=SenderKind.AGENT, assignment_version=seat)
    await eventually(lambda: _is(agent, talk, unread=0, round=None))
    again, again_at = await platform.say(talk, "好")
    waits = {"opened_at": rfc3339(again.time), "position": [1, again_at.offset], "first": False}
    await eventually(lambda: _is(agent, talk, unread=1, round=waits))

    theirs = ok(await buyer.get("/v1/inbox"))["conversations"][0]
    assert [theirs[name] for name in ("head", "round", "unread", "read_up_to")] == [None] * 4


async def test_a_gateway_is_told_up_to_where_the_log_is_in_it(platform: Platform) -> None:
    shop, agent, _, talk = await begin(platform)
    seats = await told(platform, agent, talk, ConversationAssigned)
    _, place = await platform.say(talk, "在吗")
    await eventually(lambda: has_text(agent, talk, "在吗"))

    asked = {"role": "agent", "shop": shop.id, "rows": "true"}
    found = ok(await platform.internal(f"/internal/inbox/{agent.id}", **asked))

    [row] = found["rows"]
    assert [one["id"] for one in found["conversations"]] == [talk["id"]] == [row["id"]]
    assert row["mark"][0] == 1
    assert row["mark"][1] > place.offset
    home = await platform.producer.partition_for(CHAT.name, talk["id"].encode())
    assert row | {"mark": None} == {
        "id": talk["id"],
        "owner": agent.id,
        "version": found["conversations"][0]["version"],
        "head": found["conversations"][0]["head"],
        "waiting_since": row["waiting_since"],
        "position": [1, place.offset],
        "first": True,
        "seat": seats[-1].version,
        "read_up_to": None,
        "unseen": [[1, place.offset]],
        "partition": home,
        "mark": None,
    }
    assert "rows" not in ok(
        await platform.internal(f"/internal/inbox/{agent.id}", **{**asked, "rows": "false"})
    )

    other = ConversationId(platform.service.ids.new())
    rows = ok(await platform.internal_post("/internal/heads", {"ids": [talk["id"], other]}))["rows"]
    assert [one | {"mark": None} for one in rows] == [row | {"mark": None}]
    refused = await platform.internal_post("/internal/heads", {"ids": ["x"]})
    assert refused.status_code == 422


async def _row(agent: Person, talk: Mapping[str, Any]) -> dict[str, Any]:
    rows = ok(await agent.get("/v1/inbox"))["conversations"]
    return next(row for row in rows if row["id"] == talk["id"])


async def _is(agent: Person, talk: Mapping[str, Any], **wanted: Any) -> bool:
    row = await _row(agent, talk)
    return all(row[name] == value for name, value in wanted.items())


async def _read(platform: Platform, talk: Mapping[str, Any], who: Person, offset: int) -> None:
    await platform.publish(
        SignalSent(
            id=platform.service.ids.new(),
            time=platform.service.clock.now(),
            shop_id=ShopId(talk["shop_id"]),
            conversation_id=ConversationId(talk["id"]),
            person_id=PersonId(who.id),
            signal="read",
            position=(1, offset),
        )
    )
