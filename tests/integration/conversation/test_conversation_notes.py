"""Notes in the archive: staff's alone, found and counted for them, and of no consequence (H47)."""

from collections.abc import Mapping
from typing import Any

import pytest

from contracts.gateway import NoteWritten
from contracts.people import PersonId, SenderKind
from tests.integration.conversation.desk import Person, Platform, ok
from tests.integration.conversation.talking import (
    SECRET,
    archived,
    begin,
    close,
    has_text,
    noted,
    stands,
)
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

NOTE = NoteWritten.type


async def test_a_note_stands_in_staffs_history_and_in_no_buyers(platform: Platform) -> None:
    shop, agent, buyer, talk = await begin(platform)
    leader = await shop.staff("supervisor")
    await platform.say(talk, "在吗")
    note, place = await noted(platform, talk, to=PersonId(agent.id))
    await eventually(lambda: stands(agent, talk, note.id))

    for reader in (agent, leader):
        [item] = [one for one in await archived(reader, talk) if one["type"] == NOTE]
        assert item["position"] == [1, place.offset]
        assert (item["d"]["text"], item["d"]["to"], item.get("late")) == (SECRET, agent.id, None)
    assert "canary" not in str(await archived(buyer, talk))
    known = ok(await platform.internal(f"/internal/messages/{note.id}"))
    assert known == {"found": True, "body_hash": note.body_hash, "position": [1, place.offset]}


async def test_a_buyers_page_is_as_long_as_it_may_be(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)
    for number in range(60):
        await noted(platform, talk, f"{SECRET} {number}")
        await platform.say(talk, f"第{number}句")
    await eventually(lambda: has_text(agent, talk, "第59句"))
    path = f"/v1/conversations/{talk['id']}/messages"

    page = ok(await buyer.get(path, limit=50))
    rest = ok(await buyer.get(path, limit=50, cursor=page["next_cursor"]))

    words = [one["d"]["d"]["text"] for one in page["items"]]
    assert words == [f"第{number}句" for number in range(59, 9, -1)]
    said = [one["d"]["d"]["text"] for one in rest["items"] if one["type"] == "chat.message.v1"]
    assert said == [f"第{number}句" for number in range(9, -1, -1)]
    assert "canary" not in str(page) + str(rest)
    last = page["items"][0]["id"]
    around = ok(await buyer.get(path, around=last, limit=20))
    assert "canary" not in str(around)


async def test_a_buyer_is_attached_to_what_is_his(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)
    await platform.say(talk, "在吗")
    await noted(platform, talk)
    await platform.say(talk, "人呢")
    await eventually(lambda: has_text(agent, talk, "人呢"))
    path = f"/internal/conversations/{talk['id']}/attach"

    for after in ({}, {"after": "1,0"}):
        his = await _attached(platform, buyer, path, role="buyer", **after)
        theirs = await _attached(platform, agent, path, role="agent", **after)

        assert NOTE in [one["type"] for one in theirs["items"]]
        assert "canary" not in str(his)


async def test_others_notes_are_last_words_and_unread_and_ones_own_are_not(
    platform: Platform,
) -> None:
    _, agent, buyer, talk = await begin(platform)
    await platform.say(talk, "在吗")
    await noted(platform, talk)
    mine, place = await noted(platform, talk, "记一下 明天回访", by=agent.id)
    await eventually(lambda: stands(agent, talk, mine.id))

    row = await _row(agent, talk)

    assert row["head"]["position"] == [1, place.offset]
    head = (row["head"]["by"], row["head"]["kind"], row["head"]["preview"])
    assert head == ("agent", "note", "记一下 明天回访")
    assert row["unread"] == 2
    assert row["round"] is not None, "a note answers nobody"
    assert "canary" not in str(ok(await buyer.get("/v1/conversations")))


async def test_a_note_reopens_nothing_and_is_never_late(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)
    await platform.say(talk, "谢谢")
    await platform.say(talk, "不客气", kind=SenderKind.AGENT, assignment_version=2)
    await eventually(lambda: has_text(agent, talk, "不客气"))
    await close(agent, talk)
    before = ok(await agent.get(f"/v1/conversations/{talk['id']}"))

    note, _ = await noted(platform, talk)
    await eventually(lambda: stands(agent, talk, note.id))

    after = ok(await agent.get(f"/v1/conversations/{talk['id']}"))
    assert (after["state"], after["version"]) == ("closed", before["version"])
    [item] = [one for one in await archived(agent, talk) if one["id"] == note.id]
    assert "late" not in item
    assert "canary" not in str(await archived(buyer, talk))


async def test_a_note_that_comes_again_is_one(platform: Platform) -> None:
    _, agent, _, talk = await begin(platform)
    note, _ = await noted(platform, talk)
    await platform.publish(note)
    other = note.model_copy(update={"text": "别的", "body_hash": "f" * 32})
    await platform.publish(other)
    await platform.say(talk, "完")
    await eventually(lambda: has_text(agent, talk, "完"))

    found = [one["d"]["text"] for one in await archived(agent, talk) if one["type"] == NOTE]

    assert found == [SECRET]


async def _attached(platform: Platform, who: Person, path: str, **more: str) -> dict[str, Any]:
    asked = {"subject": who.id, "shop": who.shop_id} | more
    return ok(await platform.internal(path, **asked))


async def _row(agent: Person, talk: Mapping[str, Any]) -> dict[str, Any]:
    inbox = ok(await agent.get("/v1/inbox"))
    [row] = [one for one in inbox["conversations"] if one["id"] == talk["id"]]
    found: dict[str, Any] = row
    return found
