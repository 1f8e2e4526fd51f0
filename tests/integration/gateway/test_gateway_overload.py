"""More comes than is carried: who is refused, when he comes back, and that nothing is lost by it.

The broker here is the bus in memory, which can withhold its acks on command; real sockets.
"""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from contracts.people import Role
from kit.bus.memory import MemoryBus
from rehearsal.client import Client
from rehearsal.streams import Answer
from services.gateway.inbound.shedder import COME_BACK_MS
from tests.integration.gateway.desk import Desk, held, memory_bus, opened
from tests.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def bus() -> MemoryBus:
    """A bus whose acks can be withheld."""
    return memory_bus()


@pytest.fixture
async def desk(bus: MemoryBus) -> AsyncIterator[Desk]:
    """A running gateway."""
    async with opened(bus) as found:
        yield found


async def test_while_answers_are_overdue_new_sends_are_refused_at_once_and_told_when_to_come_back(
    desk: Desk, bus: MemoryBus
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    bus.withhold_acks()
    buyer.message(s, "一", id="aaaaaaaa-1")
    await _overdue(desk, bus)

    buyer.message(s, "二", id="aaaaaaaa-2")
    agent.message(s, "你是傻逼吗", id="bbbbbbbb-1")  # not looked at: no incident
    for phone, client_id in ((buyer, "aaaaaaaa-2"), (agent, "bbbbbbbb-1")):
        assert await phone.code_at_once(client_id) == "retry"
        problem = (await phone.answer(client_id))["problem"]
        assert problem["taken"] is False
        assert COME_BACK_MS[0] <= problem["retry_after_ms"] <= COME_BACK_MS[1]
    assert held(bus) == 1
    assert desk.service.ready()

    bus.release_acks()
    assert await buyer.code("aaaaaaaa-1") is None
    buyer.forget()
    buyer.message(s, "二", id="aaaaaaaa-2")
    assert await buyer.code("aaaaaaaa-2") is None
    await eventually(lambda: agent.texts(s) == ["一", "二"])
    assert desk.history.asked == []  # what was not taken is no resend
    agent.forget()
    agent.message(s, "在的", id="bbbbbbbb-1")
    assert await agent.code("bbbbbbbb-1") is None
    await eventually(lambda: buyer.texts(s) == ["二", "在的"])
    assert len(bus.records("chat.incidents")) == 0


async def test_in_overload_a_resend_of_what_is_on_its_way_still_joins_it(
    desk: Desk, bus: MemoryBus
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    bus.withhold_acks()
    buyer.message(s, "一", id="aaaaaaaa-1")
    await _overdue(desk, bus)

    elsewhere = await desk.phone(talk.buyer_id, Role.BUYER)
    await desk.join(elsewhere, talk)
    elsewhere.message(s, "一", id="aaaaaaaa-1", again=True)
    elsewhere.message(s, "零", id="aaaaaaaa-0", again=True)  # nobody knows it: refused
    assert await elsewhere.code_at_once("aaaaaaaa-0") == "retry"
    assert not [frame for frame in elsewhere.frames if frame.get("id") == "aaaaaaaa-1"]
    assert desk.history.asked == []

    bus.release_acks()
    assert await elsewhere.code("aaaaaaaa-1") is None
    assert await buyer.code("aaaaaaaa-1") is None
    await eventually(lambda: agent.texts(s) == ["一"])


async def test_in_overload_who_only_listens_notices_nothing(desk: Desk, bus: MemoryBus) -> None:
    talk, other = desk.talk(), desk.talk(agent="agent-2")
    buyer, _ = await desk.pair(talk)
    bus.withhold_acks()
    buyer.message(f"conv:{talk.id}", "一", id="aaaaaaaa-1")
    await _overdue(desk, bus)

    late = await desk.phone("agent-2")
    await desk.join(late, other)
    late.say(t="ping", ts=1)
    late.say(t="unsub", id="u", s=f"conv:{other.id}")
    await late.of("pong", ts=1)
    assert await late.code("u") is None


async def test_clients_that_come_back_as_they_are_told_bring_everything_once_and_in_order(
    bus: MemoryBus,
) -> None:
    async with opened(bus, frames_per_s=1_000, frames_burst=1_000) as desk:
        talk = desk.talk()
        agent = await desk.phone(talk.agent_id or "")
        await desk.join(agent, talk)
        s = f"conv:{talk.id}"
        url = desk.url.replace("http", "ws", 1) + "/v1/ws"
        token = desk.token(talk.buyer_id, Role.BUYER)
        client = Client(url, token, rng=random.Random(1))
        await client.open()
        try:
            await client.subscribe(s)
            bus.withhold_acks()
            answers = [_says(client, s, 0)]
            await _overdue(desk, bus)
            answers += [_says(client, s, number) for number in range(1, 20)]
            await eventually(lambda: _shed(desk) > 0)
            bus.release_acks()
            found = await asyncio.gather(*answers)
        finally:
            await client.close()

        assert [answer.code for answer in found] == [None] * 20
        await eventually(lambda: len(agent.texts(s)) == 20)
        assert agent.texts(s) == [f"{number}" for number in range(20)]
        chat = [one for one in bus.records("chat") if one.key == talk.id.encode()]
        assert len(chat) == 20


def _says(client: Client, s: str, number: int) -> "asyncio.Future[Answer]":
    return client.send(s, "text", {"text": f"{number}"}, client_id=f"aaaaaaaa-{number:02}")


def _shed(desk: Desk) -> float:
    registry = desk.service.metrics.registry
    return registry.get_sample_value("peakdesk_sends_shed_total") or 0.0


async def _overdue(desk: Desk, bus: MemoryBus) -> None:
    """Wait until a send was handed over, and unanswered for longer than the gateway likes."""
    await eventually(lambda: held(bus) >= 1)
    clock = desk.service.clock
    begun = clock.monotonic()
    await eventually(lambda: clock.monotonic() > begun + desk.service.settings.shed_after_s)
