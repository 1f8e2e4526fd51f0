"""An agent's inbox keeps its rows up to date, without a subscription for each (F4)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from contracts.conversation import ConversationClosed, ConversationQueued
from contracts.people import PersonId, Role, SkillGroupId
from tests.integration.gateway.desk import GENERATION, Conversation, Desk, memory_bus, opened
from tests.integration.gateway.phone import Frame, Phone

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    """A gateway on a bus in memory."""
    async with opened(memory_bus()) as found:
        yield found


async def inbox(desk: Desk, agent: str) -> Phone:
    """Open somebody's inbox."""
    phone = await desk.phone(agent)
    phone.say(t="sub", id="inbox", s="inbox")
    await phone.of("snap", s="inbox")
    return phone


async def patch(phone: Phone, talk: Conversation, **wanted: Any) -> Frame:
    """Return the first patch of a row that says so."""

    def fits(frame: Frame) -> bool:
        if (frame["t"], frame.get("s"), frame.get("k")) != ("patch", "inbox", talk.id):
            return False
        return all(frame["d"][name] == value for name, value in wanted.items())

    return await phone.get(fits)


async def said(buyer: Phone, talk: Conversation, number: int) -> Any:
    """Let the buyer say something; return where it stands."""
    buyer.message(f"conv:{talk.id}", f"在吗 {number}", id=f"11111111-{number}")
    return (await buyer.answer(f"11111111-{number}"))["d"]["position"]


async def test_a_row_follows_what_is_said_and_read_without_a_subscription(desk: Desk) -> None:
    talk = desk.talk()
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    await desk.join(buyer, talk)
    first, second = [await inbox(desk, talk.agent_id or "") for _ in range(2)]

    place = await said(buyer, talk, 1)

    for screen in (first, second):
        shown = (await patch(screen, talk, unread=1))["d"]
        assert shown["round"] | {"opened_at": ""} == {
            "opened_at": "",
            "position": place,
            "first": True,
        }
        head = shown["head"]
        assert (head["position"], head["by"], head["preview"]) == (place, "buyer", "在吗 1")

    await desk.join(first, talk)
    first.say(t="read", s=f"conv:{talk.id}", position=place)
    for screen in (first, second):
        assert (await patch(screen, talk, unread=0))["d"]["read_up_to"] == place

    first.message(f"conv:{talk.id}", "在的", id="22222222-1")
    for screen in (first, second):
        shown = (await patch(screen, talk, round=None))["d"]
        assert (shown["head"]["by"], shown["head"]["preview"]) == ("agent", "在的")
    assert [one for one in second.frames if one.get("s") == f"conv:{talk.id}"] == []
    assert [one for one in buyer.frames if one.get("s") == "inbox"] == []


async def test_a_snapshot_begins_with_the_archive_and_goes_on_with_the_log(desk: Desk) -> None:
    talk = desk.talk()
    old = {"position": [1, 0], "by": "agent", "kind": "text", "preview": "早", "at": "x"}
    talk.row = {"head": old, "first": False, "read_up_to": [1, 0], "unseen": []}
    quiet = desk.talk(agent=talk.agent_id)
    quiet.row = dict(talk.row)
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    await desk.join(buyer, talk)
    place = await said(buyer, talk, 1)

    screen = await inbox(desk, talk.agent_id or "")

    rows = {one["id"]: one for one in (await screen.of("snap", s="inbox"))["d"]["conversations"]}
    assert rows[quiet.id]["head"] == old
    assert (rows[quiet.id]["unread"], rows[quiet.id]["round"]) == (0, None)
    assert rows[talk.id]["head"]["position"] == place
    assert (rows[talk.id]["unread"], rows[talk.id]["round"]["first"]) == (1, False)
    assert "rows" not in (await screen.of("snap", s="inbox"))["d"]


async def test_who_gets_a_conversation_gets_its_words_and_who_loses_it_no_more(desk: Desk) -> None:
    talk = desk.talk()
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    await desk.join(buyer, talk)
    giver, taker = await inbox(desk, talk.agent_id or ""), await inbox(desk, "taker")
    await said(buyer, talk, 1)
    await patch(giver, talk, unread=1)

    event = desk.transferred(talk, "taker", 3)
    talk.agent_id, talk.version, talk.assignment_version = "taker", 3, 3
    await desk.publish(event)

    assert (await patch(taker, talk))["d"]["head"]["preview"] == "在吗 1"
    await giver.of("ev", s="inbox", type=event.type)
    giver.forget()
    await said(buyer, talk, 2)
    assert (await patch(taker, talk, unread=2))["d"]["round"]["first"]
    assert [one for one in giver.frames if one["t"] == "patch"] == []


@pytest.mark.parametrize("how", ["queued", "closed"])
async def test_who_loses_one_that_he_does_not_watch_is_told(desk: Desk, how: str) -> None:
    talk = desk.talk()
    screen = await inbox(desk, talk.agent_id or "")
    group, nobody = SkillGroupId("pre"), PersonId("system")
    events = {
        "queued": ConversationQueued(**desk.base(talk, 3), skill_group_id=group, reason="silent"),
        "closed": ConversationClosed(**desk.base(talk, 3), agent_id=None, by=nobody, sweep="idle"),
    }

    await desk.publish(events[how])

    told = await screen.of("ev", s="inbox", type=events[how].type)
    assert told["conversation_id"] == talk.id


async def test_behind_an_older_service_an_inbox_is_what_it_was(desk: Desk) -> None:
    desk.history.tells_rows = False
    talk = desk.talk()

    screen = await inbox(desk, talk.agent_id or "")

    [row] = (await screen.of("snap", s="inbox"))["d"]["conversations"]
    assert row == {"id": talk.id, "version": 2}


async def test_a_row_that_the_ring_does_not_reach_is_said_to_be_stale(desk: Desk) -> None:
    talk = desk.talk()
    partition = await desk.producer.partition_for("chat", talk.id.encode())
    desk.service.ring.begin(partition, 9)
    talk.row = {"mark": (GENERATION, 5)}

    screen = await inbox(desk, talk.agent_id or "")

    assert (await screen.of("snap", s="inbox"))["d"]["stale"] is True
    talk.row = {"mark": (GENERATION, 9), "unseen": [[1, 3]]}
    assert (await patch(screen, talk, unread=1))["d"]["round"] is None
