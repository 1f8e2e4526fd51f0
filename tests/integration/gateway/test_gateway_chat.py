"""Messages through one gateway on the real broker: to the log, the screens, back to the sender."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from contracts.frames import SERVER_FRAME
from contracts.gateway import WORDING, MessageHeld, cleared
from contracts.monitor import BoardPublished
from contracts.people import Role
from contracts.topics import CHAT, INCIDENTS
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Record
from kit.ids import derived_id
from services.gateway.frames.records import body_hash
from services.gateway.history import Stored
from tests.integration.gateway.desk import GENERATION, SHOP, Desk, lexicon, opened
from tests.waiting import PATIENCE_S, eventually
from wording import HOUSE

pytestmark = pytest.mark.integration


async def test_a_message_reaches_the_other_screen_and_its_sender_gets_ok(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"

    buyer.message(s, "你好，在吗", id="11111111-1")
    answer = await buyer.answer("11111111-1")
    seen = await agent.of("ev", s=s)

    assert answer["t"] == "ok"
    assert answer["d"]["position"] == seen["position"]
    assert answer["d"]["message_id"] == seen["id"]
    assert seen["d"]["d"] == {"text": "你好，在吗"}
    assert (await buyer.of("ev", s=s))["id"] == seen["id"]


async def test_the_same_id_with_another_body_is_a_conflict(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    buyer.message(s, "一", id="22222222-1")
    first = await buyer.answer("22222222-1")
    await agent.of("ev", s=s)
    buyer.forget()

    buyer.message(s, "二", id="22222222-1")
    assert await buyer.code("22222222-1") == "conflict"

    buyer.forget()
    buyer.message(s, "一", id="22222222-1", again=True)
    assert (await buyer.answer("22222222-1"))["d"] == first["d"]
    assert agent.texts(s) == ["一"]


async def test_a_resend_is_looked_up_in_the_archive_and_later_sends_wait(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    message_id = derived_id("message", talk.id, talk.buyer_id, "33333333-1")
    stored = Stored(body_hash("text", '{"text":"旧"}'.encode()), (GENERATION, 5))
    desk.history.messages[message_id] = stored

    buyer.message(s, "旧", id="33333333-1", again=True)
    buyer.message(s, "新", id="33333333-2")
    buyer.message(s, "别的", id="33333333-1", again=True)

    assert (await buyer.answer("33333333-1"))["d"]["position"] == [GENERATION, 5]
    assert await buyer.code("33333333-2") is None
    conflict = await buyer.of("err", id="33333333-1")
    assert conflict["problem"]["code"] == "conflict"
    await agent.of("ev", s=s)
    assert agent.texts(s) == ["新"]


async def test_a_dated_id_is_the_same_message_when_it_is_sent_again(bus: KafkaBus) -> None:
    sent = "019ad7a2-3c00-7abc-8def-0123456789ab"
    async with opened(bus, dated_ids_from=datetime(2025, 1, 1, tzinfo=UTC)) as desk:
        talk = desk.talk()
        buyer, agent = await desk.pair(talk)
        s = f"conv:{talk.id}"

        buyer.message(s, "在吗", id=sent)
        first = await buyer.answer(sent)
        seen = await agent.of("ev", s=s)
        buyer.forget()
        buyer.message(s, "在吗", id=sent, again=True)

        assert (await buyer.answer(sent))["d"] == first["d"]
        assert first["d"]["message_id"] == seen["id"]
        derived = derived_id("message", talk.id, talk.buyer_id, sent)
        assert seen["id"] == sent[:8] + derived[8:]
        assert agent.texts(s) == ["在吗"]


async def test_sends_of_one_socket_stand_in_the_log_in_their_order(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    words = [f"第{n}句" for n in range(30)]

    for number, word in enumerate(words):
        buyer.message(s, word, id=f"44444444-{number}")
    await eventually(lambda: len(agent.texts(s)) == 30)

    assert agent.texts(s) == words
    positions = [f["position"] for f in agent.frames if f["t"] == "ev"]
    assert positions == sorted(positions)


async def test_a_blocked_message_never_reaches_the_buyer_and_leaves_an_incident(
    desk: Desk, bus: KafkaBus
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"

    agent.message(s, "你是傻逼吗", id="55555555-1")
    refusal = await agent.answer("55555555-1")
    agent.message(s, "您好", id="55555555-2")
    await buyer.of("ev", s=s)

    assert refusal["problem"]["code"] == "blocked"
    assert refusal["problem"]["hits"][0]["category"] == "insult"
    assert buyer.texts(s) == ["您好"]
    held = await incident_of(bus, talk.id)
    assert (held.text, held.action, held.agent_id) == ("你是傻逼吗", "block", talk.agent_id)


async def test_a_doubtful_message_passes_once_it_is_confirmed(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    words = "您加我微信聊吧"

    agent.message(s, words, id="66666666-1")
    question = (await agent.answer("66666666-1"))["problem"]
    assert question["code"] == "confirm"
    agent.forget()
    agent.message(s, words + "哦", id="66666666-1", confirm=question["confirm"])
    assert await agent.code("66666666-1") == "confirm"  # signed for other words
    agent.forget()
    agent.message(s, words, id="66666666-1", confirm=question["confirm"])

    assert await agent.code("66666666-1") is None
    assert (await buyer.of("ev", s=s))["d"]["confirmed"] is True


async def test_clean_words_of_an_agent_go_with_the_rules_that_cleared_them(
    desk: Desk, bus: KafkaBus
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"

    buyer.message(s, "您好", id="77777777-1")
    await buyer.answer("77777777-1")
    agent.message(s, "您好", id="88888888-1")
    await agent.answer("88888888-1")
    agent.message(s, "全网最低价", id="88888888-2")
    assert (await agent.answer("88888888-2"))["d"]["warnings"]

    log = await records_of(bus, CHAT.name, talk.id, number=3)
    rules = cleared(lexicon().version, HOUSE.version)
    assert [record.header(WORDING) for record in log] == [None, rules, None]


async def test_a_transfer_moves_the_seat_at_once_and_hides_the_note_from_the_buyer(
    desk: Desk,
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    other = await desk.phone("other-agent")
    await desk.join(other, talk)
    other.say(t="sub", id="i", s="inbox")
    await other.of("snap", s="inbox")
    s = f"conv:{talk.id}"
    other.message(s, "还不是我", id="77777777-1")
    assert await other.code("77777777-1") == "no_seat"

    await desk.publish(desk.transferred(talk, "other-agent", 3))
    moved = await other.of("ev", s=s, type="conversation.transferred.v1")
    told = await other.of("ev", s="inbox", conversation_id=talk.id)
    other.message(s, "我来接待您", id="77777777-2")
    agent.message(s, "我还在", id="77777777-3")

    assert moved["d"]["note"] == "careful: canary-note"
    assert told["version"] == 3
    assert await other.code("77777777-2") is None
    assert await agent.code("77777777-3") == "no_seat"
    shown = await buyer.of("ev", s=s, type="conversation.transferred.v1")
    assert "canary-note" not in msgspec.json.encode(shown).decode()
    spoken = await buyer.of("ev", s=s, type="chat.message.v1")
    assert spoken["d"]["assignment_version"] == 3


async def test_an_agent_who_is_given_a_chat_after_its_message_finds_it(desk: Desk) -> None:
    talk = desk.talk(agent=None)
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    await desk.join(buyer, talk)
    s = f"conv:{talk.id}"
    buyer.message(s, "有人吗", id="88888888-1")
    assert await buyer.code("88888888-1") is None
    late = await desk.phone("late-agent")
    late.say(t="sub", id="i", s="inbox")
    await late.of("snap", s="inbox")

    await desk.publish(desk.assigned(talk, "late-agent", 3))
    await late.of("ev", s="inbox", conversation_id=talk.id)
    await desk.join(late, talk)
    await late.of("snap", s=s)

    assert late.texts(s) == ["有人吗"]
    late.message(s, "在的", id="88888888-2")
    assert await late.code("88888888-2") is None


async def test_typing_reaches_the_others_and_a_board_its_watchers(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    boss = await desk.phone("boss", Role.SUPERVISOR)
    boss.say(t="sub", id="m", s=f"monitor:{SHOP}")
    await boss.of("snap")

    buyer.say(t="typing", s=f"conv:{talk.id}")
    seen = await agent.of("patch", s=f"conv:{talk.id}")
    await desk.publish(board(desk, messages=7))
    patched = await boss.of("patch", s=f"monitor:{SHOP}")

    assert seen["d"]["typing"]["person_id"] == talk.buyer_id
    assert patched["d"]["messages"] == 7
    assert not [f for f in buyer.frames if f["t"] == "patch"]


async def test_every_frame_of_the_gateway_fits_the_contract(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    buyer.message(s, "好", id="99999999-1")
    agent.message(s, "全网最低价", id="99999999-2")
    agent.message(s, "你是傻逼吗", id="99999999-3")
    buyer.say(t="ping", ts=5)
    buyer.say(t="sub", id="bad", s="conv:nobody", position=[0, 0])
    buyer.say(t="unsub", id="u", s="inbox")
    buyer.say(t="token", id="t", token=desk.token(talk.buyer_id, Role.BUYER))
    await buyer.of("pong")
    await buyer.answer("bad")
    await buyer.answer("t")
    await agent.answer("99999999-3")
    await eventually(lambda: len(buyer.texts(s)) >= 1)

    for payload in buyer.raw + agent.raw:
        SERVER_FRAME.validate_json(payload)
    seen = {frame["t"] for frame in buyer.frames + agent.frames}
    assert seen >= {"ready", "ok", "err", "snap", "ev", "pong"}


async def incident_of(bus: KafkaBus, conversation_id: str) -> MessageHeld:
    """Return the incident of a conversation from its topic."""
    (record,) = await records_of(bus, INCIDENTS.name, conversation_id, number=1)
    return MessageHeld.read(record)


async def records_of(
    bus: KafkaBus, topic: str, conversation_id: str, *, number: int
) -> list[Record]:
    """Return the first records of a conversation on a topic, once there are so many."""
    found: list[Record] = []
    reader = bus.reader([topic])
    await reader.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while len(found) < number:
                for records in (await reader.getmany(200)).values():
                    found += [one for one in records if one.key == conversation_id.encode()]
    finally:
        await reader.stop()
    return found[:number]


def board(desk: Desk, *, messages: int) -> BoardPublished:
    """Return a board that says how many messages there were."""
    now = desk.service.clock.now()
    return BoardPublished(
        id=f"board-{messages}",
        time=now,
        shop_id=SHOP,
        as_of=now,
        delayed_ms=0,
        messages=messages,
        open_conversations=0,
        waiting=0,
        longest_wait_ms=0,
        flags_agent=0,
        flags_buyer=0,
        held=0,
        figures=(),
        agents=(),
        waiting_longest=(),
    )
