"""Notes on a running gateway: who may write one, who sees it, and what sending it again does."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import msgspec
import pytest
import pytest_asyncio

from contracts.conversation import ConversationClosed
from contracts.frames import REPLAY_LIMIT
from contracts.people import PersonId, Role
from kit.bus.ports import Message, Record
from services.gateway.frames import notes
from services.gateway.frames.notes import NoteBody
from services.gateway.history import Stored
from tests.integration.gateway.desk import GENERATION, Conversation, Desk, memory_bus, opened
from tests.integration.gateway.phone import Frame, Phone

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

SECRET = "他上次也是这样 canary"
NOTE = "chat.note.v1"


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    """A gateway on a bus in memory."""
    async with opened(memory_bus()) as found:
        yield found


def note(
    phone: Phone, talk: Conversation, said: str = SECRET, *, number: int = 1, **more: object
) -> str:
    """Write a note; return its client id."""
    to = {"to": more.pop("to")} if "to" in more else {}
    frame_id = f"99999999-{number}"
    phone.say(
        t="send", id=frame_id, s=f"conv:{talk.id}", kind="note", d={"text": said, **to}, **more
    )
    return frame_id


async def leader(desk: Desk, talk: Conversation) -> Phone:
    """Return a supervisor who watches."""
    phone = await desk.phone("leader", Role.SUPERVISOR)
    await desk.join(phone, talk)
    return phone


async def noted(phone: Phone) -> Frame:
    """Return the first note that somebody was shown."""
    return await phone.of("ev", type=NOTE)


async def is_kept_from(buyer: Phone, talk: Conversation, teller: Phone) -> None:
    """Make sure that a buyer who was shown what came behind a note was not shown the note."""
    teller.message(f"conv:{talk.id}", "您好", id="88888888-8")
    await buyer.of("ev", s=f"conv:{talk.id}", type="chat.message.v1")
    assert not [raw for raw in buyer.raw if b"canary" in raw or NOTE.encode() in raw]


async def test_who_watches_whispers_to_the_agent_and_the_buyer_sees_nothing(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    watching = await leader(desk, talk)

    sent = note(watching, talk, to=talk.agent_id)
    answer = await watching.answer(sent)

    for phone in (agent, watching):
        shown = await noted(phone)
        body = shown["d"]
        assert (body["author_id"], body["text"], body["to"]) == ("leader", SECRET, talk.agent_id)
        assert shown["position"] == answer["d"]["position"]
    await is_kept_from(buyer, talk, agent)


async def test_a_buyer_may_not_write_one(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)

    assert await buyer.code(note(buyer, talk)) == "forbidden"

    await is_kept_from(buyer, talk, agent)
    assert not [one for one in agent.frames if one.get("type") == NOTE]


async def test_who_only_watches_may_note_and_not_speak(desk: Desk) -> None:
    talk = desk.talk()
    await desk.pair(talk)
    watching = await leader(desk, talk)

    watching.message(f"conv:{talk.id}", "我是主管", id="11111111-1")

    assert await watching.code("11111111-1") == "no_seat"
    assert await watching.code(note(watching, talk)) is None


async def test_no_gate_stands_before_a_note(desk: Desk) -> None:
    talk = desk.talk()
    _, agent = await desk.pair(talk)

    assert await agent.code(note(agent, talk, "买家骂我傻逼")) is None


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "x", "to": ""}, {"text": "x" * 2001}])
async def test_a_note_has_words_and_a_person(desk: Desk, body: dict[str, object]) -> None:
    talk = desk.talk()
    _, agent = await desk.pair(talk)

    agent.say(t="send", id="99999999-1", s=f"conv:{talk.id}", kind="note", d=body)

    assert await agent.code("99999999-1") == "bad_frame"


async def test_sent_again_it_is_one_note_and_other_words_are_a_conflict(desk: Desk) -> None:
    talk = desk.talk()
    _, agent = await desk.pair(talk)
    first = await agent.answer(note(agent, talk))

    for other, code in ((SECRET, None), ("别的", "conflict")):
        agent.forget()
        assert await agent.code(note(agent, talk, other, again=True)) == code
    agent.forget()
    agent.message(f"conv:{talk.id}", SECRET, id="99999999-1")
    assert await agent.code("99999999-1") == "conflict", "words to the buyer are another message"

    agent.forget()
    again = await agent.answer(note(agent, talk, again=True))
    assert again["d"]["position"] == first["d"]["position"]


async def test_an_archived_note_is_known_by_its_hash(desk: Desk) -> None:
    talk = desk.talk()
    _, agent = await desk.pair(talk)
    first = await agent.answer(note(agent, talk))
    message_id = first["d"]["message_id"]
    hashed = (await noted(agent))["d"]["body_hash"]

    async with opened(memory_bus(), history=desk.history) as later:
        desk.history.messages[message_id] = Stored(hashed, (GENERATION, 7))
        back = await later.phone(talk.agent_id or "")
        await later.join(back, talk)

        answer = await back.answer(note(back, talk, again=True))
        assert answer["d"]["position"] == [GENERATION, 7]
        back.forget()
        assert await back.code(note(back, talk, "别的", again=True)) == "conflict"


async def test_a_closed_conversation_is_still_noted_in_and_stays_closed(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    closed = ConversationClosed(
        **desk.base(talk, 3), agent_id=None, by=PersonId(talk.agent_id or "")
    )
    await desk.publish(closed)
    await agent.of("ev", type=closed.type)

    assert await agent.code(note(agent, talk)) is None

    await noted(agent)
    await buyer.of("ev", type=closed.type)
    assert not [raw for raw in buyer.raw if b"canary" in raw]


@pytest.mark.parametrize("number", range(20))
async def test_a_note_beside_a_transfer_is_taken_whoever_has_the_seat(
    desk: Desk, number: int
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    other = await desk.phone("other-agent")
    await desk.join(other, talk)
    moved = desk.transferred(talk, "other-agent", 3)

    first = note(agent, talk, number=number)
    await desk.publish(moved)
    second = note(agent, talk, number=number + 100)

    assert await agent.code(first) is None
    assert await agent.code(second) is None
    seen = [(await other.of("ev", type=NOTE))["d"]["client_id"]]
    await other.get(lambda frame: frame.get("d", {}).get("client_id") == second)
    assert seen == [first]
    await other.of("ev", type=moved.type)
    await is_kept_from(buyer, talk, other)


async def test_notes_can_be_kept_shut() -> None:
    async with opened(memory_bus(), notes=False) as shut:
        talk = shut.talk()
        _, agent = await shut.pair(talk)

        assert await agent.code(note(agent, talk)) == "forbidden"


async def test_a_buyer_who_comes_back_is_shown_what_is_his(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    buyer.message(s, "在吗", id="11111111-1")
    place = (await buyer.answer("11111111-1"))["d"]["position"]
    buyer.hang_up()
    hashed = "0" * 32
    for number in range(REPLAY_LIMIT + 1):
        body = NoteBody(talk.shop_id, talk.id, "leader", "", f"c{number}", SECRET, None, hashed)
        written = notes.note(body, f"note-{talk.id}-{number}", time="2026-11-11T00:00:00.000Z")
        await desk.producer.send(written)
    agent.message(s, "在的", id="22222222-2")
    assert await agent.code("22222222-2") is None

    resumed = await desk.phone(talk.buyer_id, Role.BUYER, resume=[{"s": s, "position": place}])
    fresh = await desk.phone(talk.buyer_id, Role.BUYER)
    await desk.join(fresh, talk)

    assert (await resumed.of("ev", s=s))["d"]["d"]["text"] == "在的"
    snap = await fresh.of("snap", s=s)
    assert [item["d"]["d"]["text"] for item in snap["d"]["items"]] == ["在吗", "在的"]
    for phone in (resumed, fresh):
        assert not [raw for raw in phone.raw if b"canary" in raw]


async def test_a_type_of_a_newer_release_is_no_buyers(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    body = NoteBody(talk.shop_id, talk.id, "leader", "", "c", SECRET, None, "0" * 32)
    later = notes.note(body, "later-1", time="2026-11-11T00:00:00.000Z")
    headers = tuple((k, b"chat.later.v1" if k == "ce_type" else v) for k, v in later.headers)
    await desk.producer.send(Message(later.topic, later.key, later.value, headers))

    await is_kept_from(buyer, talk, agent)
    fresh = await desk.phone(talk.buyer_id, Role.BUYER)
    await desk.join(fresh, talk)
    assert not [raw for raw in fresh.raw if b"canary" in raw]


def of_yesterday(desk: Desk) -> None:
    """Let a gateway know no notes: to it they are of a type that it passes over."""
    chat = desk.service.channels.chat
    today = chat._take

    def take(record: Record) -> bool:
        headers = tuple(
            (name, b"chat.later.v1" if value == NOTE.encode() else value)
            for name, value in record.headers
        )
        return today(msgspec.structs.replace(record, headers=headers))

    chat._take = take  # type: ignore[method-assign] # so it was


async def test_beside_a_gateway_of_yesterday_no_buyer_sees_a_note(desk: Desk) -> None:
    async with AsyncExitStack() as stack:
        old = await stack.enter_async_context(opened(desk.bus, history=desk.history))
        of_yesterday(old)
        talk = desk.talk()
        buyer, agent = await desk.pair(talk)
        elsewhere, colleague = await old.pair(talk)

        assert await agent.code(note(agent, talk)) is None
        await noted(agent)

        for phone in (buyer, elsewhere):
            await is_kept_from(phone, talk, agent)
        assert not [one for one in colleague.frames if one.get("type") == NOTE]
        assert await colleague.of("ev", type="chat.message.v1"), "and goes on with the rest"
