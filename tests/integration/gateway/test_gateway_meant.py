"""Words that the gate asked about and the agent means: their reason stands in the log before them.

The broker is the bus in memory, which withholds its acks on command; real sockets.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.base import decode
from contracts.gateway import ChatMessage, MessageHeld, WordingConfirmed
from kit.bus.memory import MemoryBus
from kit.bus.ports import message_of
from services.gateway.frames.records import trace_of
from tests.integration.gateway.desk import Conversation, Desk, held, memory_bus, opened
from tests.integration.gateway.phone import Phone
from tests.waiting import eventually

pytestmark = pytest.mark.integration

WORDS = "您加我微信聊吧"
ID = "aaaaaaaa-1"


@pytest.fixture
def bus() -> MemoryBus:
    """A bus whose acks can be withheld."""
    return memory_bus()


@pytest.fixture
async def desk(bus: MemoryBus) -> AsyncIterator[Desk]:
    """A running gateway."""
    async with opened(bus) as found:
        yield found


async def asked(agent: Phone, talk: Conversation) -> dict[str, Any]:
    """Send doubtful words; return the gate's question."""
    agent.message(f"conv:{talk.id}", WORDS, id=ID)
    question = (await agent.answer(ID))["problem"]
    assert question["code"] == "confirm"
    agent.forget()
    return dict(question)


def said(bus: MemoryBus) -> list[str]:
    """Return what was said, as it stands in the log."""
    events = [decode(record) for record in bus.records("chat") if record.headers]
    return [event.d["text"] for event in events if isinstance(event, ChatMessage)]


def incidents(bus: MemoryBus) -> list[MessageHeld | WordingConfirmed]:
    """Return what stands in the log of incidents."""
    found = [decode(record) for record in bus.records("chat.incidents")]
    return [one for one in found if isinstance(one, MessageHeld | WordingConfirmed)]


def reasons(bus: MemoryBus) -> list[str | None]:
    """Return the reasons that stand there."""
    return [one.reason for one in incidents(bus) if isinstance(one, WordingConfirmed)]


def on_the_way(bus: MemoryBus) -> int:
    """Return how many reasons wait for their ack."""
    return len([one for one, *_ in bus._withheld or [] if one.topic == "chat.incidents"])


async def test_the_reason_is_in_the_log_before_the_words_and_reaches_no_buyer(
    desk: Desk, bus: MemoryBus
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    question = await asked(agent, talk)
    bus.withhold_acks()

    agent.message(s, WORDS, id=ID, confirm=question["confirm"], reason="买家问的")
    agent.message(s, "您好", id="aaaaaaaa-2")
    await eventually(lambda: on_the_way(bus) == 1)
    assert held(bus) == 0  # neither the words nor what was written behind them
    bus.release_acks()

    assert await agent.code(ID) is None
    assert await agent.code("aaaaaaaa-2") is None
    await eventually(lambda: len(buyer.texts(s)) == 2)
    assert buyer.texts(s) == said(bus) == [WORDS, "您好"]
    question_kept, meant = incidents(bus)
    assert isinstance(meant, WordingConfirmed)
    assert (meant.reason, meant.agent_id) == ("买家问的", talk.agent_id)
    assert meant.incident_id == question_kept.id == question["incident_id"]
    assert meant.message_id == (await agent.answer(ID))["d"]["message_id"]
    assert not [raw for raw in buyer.raw if "买家问的".encode() in raw]


async def test_a_client_that_knows_no_reasons_is_taken_at_its_word(
    desk: Desk, bus: MemoryBus
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    question = await asked(agent, talk)

    agent.message(f"conv:{talk.id}", WORDS, id=ID, confirm=question["confirm"])

    assert await agent.code(ID) is None
    assert (await buyer.of("ev", s=f"conv:{talk.id}"))["d"]["confirmed"] is True
    assert reasons(bus) == [None]


@pytest.mark.parametrize("reason", ["", "   ", "长" * 201])
async def test_what_is_no_reason_says_nothing_to_the_buyer(
    desk: Desk, bus: MemoryBus, reason: str
) -> None:
    talk = desk.talk()
    _, agent = await desk.pair(talk)
    question = await asked(agent, talk)

    agent.message(f"conv:{talk.id}", WORDS, id=ID, confirm=question["confirm"], reason=reason)

    assert await agent.code(ID) == "bad_frame"
    assert (said(bus), reasons(bus)) == ([], [])


async def test_an_unknown_outcome_is_sent_again_and_said_once_with_the_first_reason(
    desk: Desk, bus: MemoryBus
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    question = await asked(agent, talk)
    bus.withhold_acks()
    agent.message(s, WORDS, id=ID, confirm=question["confirm"], reason="买家问的")
    assert await agent.code(ID) == "retry"
    agent.forget()

    agent.message(s, WORDS, id=ID, again=True, confirm=question["confirm"], reason="再试")
    bus.release_acks()

    assert await agent.code(ID) is None
    await buyer.of("ev", s=s)
    assert (said(bus), reasons(bus)) == ([WORDS], ["买家问的"])


async def test_a_gateway_that_ends_between_reason_and_words_leaves_them_to_the_resend(
    bus: MemoryBus,
) -> None:
    async with opened(bus) as first:
        talk = first.talk()
        _, agent = await first.pair(talk)
        question = await asked(agent, talk)
        bus.withhold_acks()
        agent.message(
            f"conv:{talk.id}", WORDS, id=ID, confirm=question["confirm"], reason="买家问的"
        )
        await eventually(lambda: on_the_way(bus) == 1)
        bus.release_acks()
        bus.withhold_acks()
        await eventually(lambda: held(bus) == 1)
        bus.lose()
    assert (said(bus), reasons(bus)) == ([], ["买家问的"])

    async with opened(bus, history=first.history, gateway_id="gateway-2") as second:
        buyer, agent = await second.pair(talk)
        resend = {"again": True, "confirm": question["confirm"], "reason": "再试"}
        agent.message(f"conv:{talk.id}", WORDS, id=ID, **resend)
        assert await agent.code(ID) is None
        await buyer.of("ev", s=f"conv:{talk.id}")

    assert said(bus) == [WORDS]
    meant = [one.id for one in incidents(bus) if isinstance(one, WordingConfirmed)]
    assert len(meant) == 2
    assert len({*meant}) == 1  # whoever stores them keeps the first


async def test_who_lost_the_seat_while_his_reason_was_on_its_way_says_nothing(
    desk: Desk, bus: MemoryBus
) -> None:
    talk = desk.talk()
    _, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    question = await asked(agent, talk)
    bus.withhold_acks()
    agent.message(s, WORDS, id=ID, confirm=question["confirm"], reason="买家问的")
    agent.message(s, "您好", id="aaaaaaaa-2")
    await eventually(lambda: on_the_way(bus) == 1)
    bus._append(message_of(desk.transferred(talk, "other-agent", 3)))
    await agent.of("ev", s=s, type="conversation.transferred.v1")
    bus.release_acks()

    assert await agent.code(ID) == "no_seat"
    assert await agent.code("aaaaaaaa-2") == "no_seat"
    assert said(bus) == []


async def test_a_reason_that_is_not_stored_says_nothing_and_is_asked_for_again(
    desk: Desk, bus: MemoryBus
) -> None:
    talk = desk.talk()
    _, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    question = await asked(agent, talk)
    bus.withhold_acks()
    agent.message(s, WORDS, id=ID, confirm=question["confirm"], reason="买家问的")
    await eventually(lambda: on_the_way(bus) == 1)
    bus.lose()

    assert await agent.code(ID) == "retry"
    assert said(bus) == []
    agent.forget()
    agent.message(s, WORDS, id=ID, again=True, confirm=question["confirm"], reason="买家问的")
    assert await agent.code(ID) is None
    assert (said(bus), reasons(bus)) == ([WORDS], ["买家问的"])


async def test_a_refusal_names_the_trace_in_which_its_incident_is_found(
    desk: Desk, bus: MemoryBus
) -> None:
    talk = desk.talk()
    _, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"

    question = await asked(agent, talk)
    agent.message(s, "你是傻逼吗", id="aaaaaaaa-2")
    blocked = (await agent.answer("aaaaaaaa-2"))["problem"]
    agent.say(t="sub", id="j", s="conv:nowhere")
    elsewhere = (await agent.answer("j"))["problem"]

    traces = [record.header("traceparent") for record in bus.records("chat.incidents")]
    for problem, trace in zip((question, blocked), traces, strict=True):
        assert problem["trace_id"].encode() in (trace or b"")
        assert problem["incident_id"] in {one.id for one in incidents(bus)}
    assert len(elsewhere["trace_id"]) == len(trace_of("0" * 32).trace_id)
