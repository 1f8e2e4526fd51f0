"""Coming back: from the ring, from the broker where the archive lags, from the archive; slowly."""

import asyncio
from functools import partial
from typing import Any

import pytest

from contracts.frames import CloseCode
from contracts.people import Role
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Message
from kit.ids import Uuid7Ids
from tests.integration.gateway.desk import GENERATION, Conversation, Desk, opened
from tests.integration.gateway.phone import Phone
from tests.waiting import eventually

pytestmark = pytest.mark.integration

HASTE = {"queue_frames": 4, "frames_per_s": 1000, "frames_burst": 1000}


async def said(
    desk: Desk, phone: Phone, talk: Conversation, *, count: int, prefix: str = "句"
) -> None:
    """Say so many messages, each acknowledged, without breaking the rate."""
    for number in range(count):
        frame_id = f"{prefix}-{number}-aaaaaaaa".encode().hex()[:60]
        phone.message(f"conv:{talk.id}", f"{prefix}{number}", id=frame_id)
        assert await phone.code(frame_id) is None
        if number % 30 == 29:
            await asyncio.sleep(1)


async def test_a_client_that_comes_back_gets_what_it_missed_and_nothing_twice(desk: Desk) -> None:
    talk = desk.talk()
    s = f"conv:{talk.id}"
    buyer, agent = await desk.pair(talk)
    await said(desk, buyer, talk, count=2)
    await eventually(lambda: len(agent.texts(s)) == 2)
    position = agent.frames[-1]["position"]
    agent.hang_up()
    await said(desk, buyer, talk, count=3, prefix="新")

    back = await desk.phone(talk.agent_id or "", resume=[{"s": s, "position": position}])
    await eventually(lambda: len(back.texts(s)) >= 3)
    await said(desk, buyer, talk, count=1, prefix="后")
    await eventually(lambda: len(back.texts(s)) >= 4)

    assert back.texts(s) == ["新0", "新1", "新2", "后0"]
    assert not [f for f in back.frames if f["t"] == "snap"]


async def test_a_snapshot_and_the_stream_meet_while_messages_flow(desk: Desk) -> None:
    talk = desk.talk()
    s = f"conv:{talk.id}"
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    await desk.join(buyer, talk)

    def complete(phone: Phone) -> bool:
        return len(phone.texts(s)) >= 25

    flowing = asyncio.create_task(said(desk, buyer, talk, count=25))
    phones = []
    for _ in range(5):
        phone = await desk.phone(talk.agent_id or "")
        await desk.join(phone, talk)
        phones.append(phone)
    await flowing

    for phone in phones:
        await eventually(partial(complete, phone))
        assert phone.texts(s) == [f"句{n}" for n in range(25)]


async def test_an_archive_that_lags_behind_the_ring_leaves_no_hole(bus: KafkaBus) -> None:
    async with opened(bus, ring_bytes=1024) as desk:
        talk = desk.talk()
        s = f"conv:{talk.id}"
        buyer, agent = await desk.pair(talk)
        await said(desk, buyer, talk, count=12)
        partition = await desk.producer.partition_for("chat", talk.id.encode())
        await eventually(lambda: len(agent.texts(s)) == 12)
        assert desk.service.ring.floor(partition) > 0
        first = next(f["position"] for f in agent.frames if f["t"] == "ev")

        fresh = await desk.phone(talk.agent_id or "")
        await desk.join(fresh, talk)
        resumed = await desk.phone(talk.agent_id or "")
        await desk.join(resumed, talk, position=first)

        await eventually(lambda: len(fresh.texts(s)) == 12 and len(resumed.texts(s)) == 11)
        assert fresh.texts(s) == [f"句{n}" for n in range(12)]
        assert resumed.texts(s) == [f"句{n}" for n in range(1, 12)]


async def test_archived_items_come_first_and_the_ring_goes_on_above_the_mark(desk: Desk) -> None:
    talk = desk.talk()
    s = f"conv:{talk.id}"
    buyer, agent = await desk.pair(talk)
    await said(desk, buyer, talk, count=4)
    await eventually(lambda: len(agent.texts(s)) == 4)
    evs = [f for f in agent.frames if f["t"] == "ev"]
    archived = [{k: v for k, v in f.items() if k != "t"} for f in evs[:2]]
    talk.items = [{**item, "archived_at": item["time"]} for item in archived]
    partition = await desk.producer.partition_for("chat", talk.id.encode())
    desk.history.marks[partition] = evs[1]["position"][1] + 1

    fresh = await desk.phone(talk.agent_id or "")
    await desk.join(fresh, talk)
    resumed = await desk.phone(talk.agent_id or "")
    await desk.join(resumed, talk, position=evs[0]["position"])
    await eventually(lambda: len(resumed.texts(s)) == 3)

    assert fresh.texts(s) == ["句0", "句1", "句2", "句3"]
    assert resumed.texts(s) == ["句1", "句2", "句3"]


async def test_more_than_may_be_replayed_is_resynced(desk: Desk) -> None:
    talk = desk.talk()
    s = f"conv:{talk.id}"
    item: dict[str, Any] = {"s": s, "id": "x", "type": "chat.message.v1", "d": {}}
    talk.items = [
        {**item, "position": [GENERATION, n], "time": "2026-11-11T00:00:00.000Z"}
        for n in range(501)
    ]
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    desk.history.marks = dict.fromkeys(range(3), 0)

    buyer.say(t="sub", id="far", s=s, position=[0, 0])
    assert await buyer.code("far") == "resync"
    assert (await buyer.of("resync"))["reason"] == "generation"


STRANGE_POSITIONS = (
    "[-1,3]",
    "[1.5,3]",
    "[1,2,3]",
    '"x"',
    "{}",
    "[1,1000000000000000000]",
    "[true,1]",
    "[7,0]",
    "[99999,0]",
)


async def test_a_malformed_or_foreign_position_is_resynced(desk: Desk) -> None:
    talk = desk.talk()
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    s = f"conv:{talk.id}"
    for number, position in enumerate(STRANGE_POSITIONS):
        buyer.text(f'{{"t":"sub","id":"p{number}","s":"{s}","position":{position}}}')
        assert await buyer.code(f"p{number}") == "resync", position

    assert len([f for f in buyer.frames if f["t"] == "resync"]) == len(STRANGE_POSITIONS)
    assert not [f for f in buyer.frames if f["t"] in {"snap", "ev"}]


async def test_a_position_from_the_future_closes_with_bad_position(desk: Desk) -> None:
    talk = desk.talk()
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    buyer.say(t="sub", id="p", s=f"conv:{talk.id}", position=[GENERATION, 10**9])
    assert await buyer.close_code() == CloseCode.BAD_POSITION


async def test_with_the_archive_away_new_seats_wait_and_old_ones_go_on(desk: Desk) -> None:
    talk = desk.talk()
    s = f"conv:{talk.id}"
    buyer, agent = await desk.pair(talk)
    desk.history.away = True

    other = await desk.phone(talk.agent_id or "")
    for name in (s, "inbox"):
        other.say(t="sub", id=name, s=name)
        assert await other.code(name) == "retry"
    buyer.message(s, "还在吗", id="aaaaaaaa-1")
    assert await buyer.code("aaaaaaaa-1") is None
    await agent.of("ev", s=s)
    buyer.message(s, "再说一次", id="aaaaaaaa-2", again=True)
    assert await buyer.code("aaaaaaaa-2") is None

    desk.history.away = False
    other.forget()
    await desk.join(other, talk)
    assert other.texts(s) == ["还在吗", "再说一次"]


async def test_sends_before_the_seat_is_ready_wait_for_it(desk: Desk) -> None:
    talk = desk.talk()
    s = f"conv:{talk.id}"
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    buyer.say(t="sub", id="j", s=s)
    buyer.message(s, "一", id="aaaaaaaa-1")
    buyer.message(s, "二", id="aaaaaaaa-2")
    thief = await desk.phone("thief", Role.BUYER)
    thief.say(t="sub", id="j", s=s)
    thief.message(s, "三", id="aaaaaaaa-3")

    assert await thief.code("aaaaaaaa-3") == "not_subscribed"
    await eventually(lambda: len(buyer.texts(s)) == 2)
    assert buyer.texts(s) == ["一", "二"]


async def test_who_leaves_and_comes_again_while_he_is_being_seated_is_seated(desk: Desk) -> None:
    talk = desk.talk()
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    buyer.say(t="sub", id="first", s=f"conv:{talk.id}")
    buyer.say(t="unsub", id="leave", s=f"conv:{talk.id}")
    buyer.say(t="sub", id="second", s=f"conv:{talk.id}")

    assert await buyer.code("second") is None
    assert await buyer.code("first") in {"unsubscribed", None}
    assert await buyer.code("leave") is None
    buyer.message(f"conv:{talk.id}", "在吗", id="aaaaaaaa-1")
    assert await buyer.code("aaaaaaaa-1") is None
    await eventually(lambda: buyer.texts(f"conv:{talk.id}") == ["在吗"])


async def test_two_subs_of_one_inbox_at_once_are_both_answered(desk: Desk) -> None:
    talk = desk.talk()
    agent = await desk.phone(talk.agent_id or "")
    for name in ("first", "second"):
        agent.say(t="sub", id=name, s="inbox")
    await desk.publish(desk.assigned(talk, talk.agent_id or "", 3))

    for name in ("first", "second"):
        assert await agent.code(name) is None
    await agent.of("ev", s="inbox", type="conversation.assigned.v1")


async def test_a_reader_that_stops_is_closed_and_resumes_without_a_hole(bus: KafkaBus) -> None:
    # Who comes back reads on the gateway's own loop: what holds that up must not make him slow.
    limits: dict[str, Any] = {**HASTE, "slow_reader_s": 3.0}
    async with opened(bus, **limits) as desk:
        talk = desk.talk()
        s = f"conv:{talk.id}"
        buyer, agent = await desk.pair(talk)
        await said(desk, buyer, talk, count=1)
        await eventually(lambda: len(agent.texts(s)) == 1)
        position = agent.frames[-1]["position"]
        session = desk.service.hub.people[agent_of(talk)][0]
        agent.transport.underlying_transport.pause_reading()
        seen = len(agent.frames)

        for number in range(120):
            large(buyer, s, text=f"{number}", id=f"bbbbbbbb-{number}")
            assert await buyer.code(f"bbbbbbbb-{number}") is None
        await eventually(lambda: session.closing)
        agent.transport.underlying_transport.resume_reading()
        assert await agent.close_code() in {CloseCode.SLOW_READER, 1006}
        got = agent.texts(s)
        assert got == ["句0", *map(str, range(len(got) - 1))]
        assert len(agent.frames) >= seen

        back = await desk.phone(talk.agent_id or "")
        await desk.join(back, talk, position=position)
        await eventually(lambda: len(back.texts(s)) == 120)
        assert back.texts(s) == [str(n) for n in range(120)]


async def test_a_reader_that_was_slow_for_a_moment_is_refilled(bus: KafkaBus) -> None:
    limits: dict[str, Any] = {**HASTE, "slow_reader_s": 3_600.0}
    async with opened(bus, **limits) as desk:
        talk = desk.talk()
        s = f"conv:{talk.id}"
        buyer, agent = await desk.pair(talk)
        agent.transport.underlying_transport.pause_reading()

        for number in range(150):
            large(buyer, s, text=f"{number}", id=f"cccccccc-{number}")
            assert await buyer.code(f"cccccccc-{number}") is None
        session = desk.service.hub.people[agent_of(talk)][0]
        await eventually(lambda: session.full_since is not None)
        agent.transport.underlying_transport.resume_reading()

        await eventually(lambda: len(agent.texts(s)) >= 150)
        assert agent.texts(s) == [str(n) for n in range(150)]
        assert agent.closed is None


def large(phone: Phone, s: str, *, text: str, id: str) -> None:  # noqa: A002 - the protocol's word
    """Send as much as a frame holds: no text is so long."""
    phone.say(t="send", id=id, s=s, kind="card", d={"text": text, "sizes": [0] * 22_000})


def agent_of(talk: Conversation) -> Any:
    """Return the agent's id as the hub keys it."""
    return talk.agent_id


async def test_poison_in_the_log_reaches_no_screen_on_any_way(desk: Desk) -> None:
    talk, ids = desk.talk(), Uuid7Ids(desk.service.clock)
    s = f"conv:{talk.id}"
    buyer, agent = await desk.pair(talk)
    await said(desk, buyer, talk, count=1)
    await eventually(lambda: len(agent.texts(s)) == 1)
    position = agent.frames[-1]["position"]
    agent.hang_up()
    for kind in ("chat.message.v1", "chat.message.v9", "conversation.closed.v1"):
        for body in (b"{", b"{}"):
            headers = (
                ("ce_id", ids.new().encode()),
                ("ce_type", kind.encode()),
                ("ce_time", b"2026-11-11T00:00:00Z"),
                ("ce_shop", b"shop"),
            )
            poison = Message("chat", talk.id.encode(), body, headers)
            await desk.producer.send(poison)
    await said(desk, buyer, talk, count=1, prefix="后")

    back = await desk.phone(talk.agent_id or "", resume=[{"s": s, "position": position}])
    fresh = await desk.phone(talk.agent_id or "")
    await desk.join(fresh, talk)

    await eventually(lambda: len(back.texts(s)) == 1)
    await eventually(lambda: len(fresh.texts(s)) == 2)
    for phone in (buyer, back, fresh):
        shown = [f for f in phone.frames if f["t"] == "ev"]
        shown += [item for f in phone.frames if f["t"] == "snap" for item in f["d"]["items"]]
        assert {frame["type"] for frame in shown} <= {"chat.message.v1"}
