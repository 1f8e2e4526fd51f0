"""A broker that does not answer, and a gateway that stops: nothing said is lost or left unanswered.

The broker here is the bus in memory, which can withhold its acks on command; real sockets.
"""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from picows import WSInvalidStatusError
from typing_extensions import override

from contracts.frames import BYTES_PER_FRAME, CloseCode
from contracts.people import Role
from kit.bus.memory import MemoryBus
from kit.bus.ports import Message
from kit.clock import SystemClock
from services.gateway.inbound.lanes import WAITING
from tests.integration.gateway.desk import Desk, held, memory_bus, opened
from tests.integration.gateway.phone import Phone
from tests.waiting import eventually
from tests.web import NO_TLS

pytestmark = pytest.mark.integration


class StandingClock(SystemClock):
    """Time by which rates are counted passes when the test says so, however busy the machine is."""

    def __init__(self) -> None:
        self.moment = super().monotonic()

    @override
    def monotonic(self) -> float:
        return self.moment


@pytest.fixture
def bus() -> MemoryBus:
    """A bus whose acks can be withheld."""
    return memory_bus()


@pytest.fixture
async def desk(bus: MemoryBus) -> AsyncIterator[Desk]:
    """A running gateway."""
    async with opened(bus) as found:
        yield found


async def test_an_unanswered_send_gets_retry_and_lands_once(desk: Desk, bus: MemoryBus) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    bus.withhold_acks()
    begun, too_late = desk.service.clock.monotonic(), asyncio.create_task(asyncio.sleep(3))

    buyer.message(s, "一", id="aaaaaaaa-1")
    assert await buyer.code("aaaaaaaa-1") == "retry"
    # The gateway runs on this loop: whatever holds it up holds up the sleep as well.
    assert desk.service.clock.monotonic() - begun > 1.9
    assert not too_late.done()
    buyer.message(s, "二", id="aaaaaaaa-2")
    assert await buyer.code_at_once("aaaaaaaa-2") == "retry"

    buyer.forget()
    buyer.message(s, "一", id="aaaaaaaa-1", again=True)  # joins what is still on its way
    bus.release_acks()
    assert await buyer.code("aaaaaaaa-1") is None
    buyer.message(s, "二", id="aaaaaaaa-2", again=True)
    assert await buyer.code("aaaaaaaa-2") is None
    await eventually(lambda: len(agent.texts(s)) == 2)
    assert agent.texts(s) == ["一", "二"]


async def test_a_directory_that_ends_in_a_removed_entry_lets_the_gateway_become_ready(
    bus: MemoryBus,
) -> None:
    producer = bus.producer()
    for value in (b"{}", None):
        await producer.send(Message("directory", b"somebody", value))
    bus.compact("directory")

    async with opened(bus) as desk:  # waits until it is ready
        assert (await desk.phone("agent")).closed is None


async def test_after_a_retry_later_sends_wait_until_the_oldest_comes_again(
    desk: Desk, bus: MemoryBus
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    bus.withhold_acks()
    buyer.message(s, "一", id="aaaaaaaa-1")
    assert await buyer.code("aaaaaaaa-1") == "retry"
    bus.release_acks()
    await agent.of("ev", s=s)

    buyer.message(s, "二", id="aaaaaaaa-2")
    assert await buyer.code_at_once("aaaaaaaa-2") == "retry"
    await _both_come_again_and_land(buyer, agent, s)


@pytest.mark.parametrize(
    ("text", "code"), [("", "bad_frame"), ("先", "conflict")], ids=["unreadable", "other"]
)
async def test_a_refusal_for_good_ends_the_wait_for_a_send_that_was_to_come_again(
    desk: Desk, bus: MemoryBus, text: str, code: str
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    bus.withhold_acks()
    agent.message(s, "一", id="aaaaaaaa-0")
    assert await agent.code("aaaaaaaa-0") == "retry"
    bus.release_acks()
    await buyer.of("ev", s=s)
    agent.forget()

    agent.message(s, text, id="aaaaaaaa-0", again=True)
    assert await agent.code("aaaaaaaa-0") == code
    agent.message(s, "二", id="aaaaaaaa-2")

    assert await agent.code("aaaaaaaa-2") is None
    await eventually(lambda: buyer.texts(s) == ["一", "二"])


async def test_an_older_send_that_fails_after_a_younger_was_refused_still_goes_first(
    desk: Desk, bus: MemoryBus
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    bus.withhold_acks()
    buyer.message(s, "一", id="aaaaaaaa-1")
    assert await buyer.code("aaaaaaaa-1") == "retry"
    buyer.forget()
    buyer.message(s, "一", id="aaaaaaaa-1", again=True)  # joins what is still on its way
    buyer.message(s, "二", id="aaaaaaaa-2")
    assert await buyer.code("aaaaaaaa-2") == "retry"
    bus.lose()
    assert await buyer.code("aaaaaaaa-1") == "retry"

    await _both_come_again_and_land(buyer, agent, s)


async def test_a_message_held_back_after_an_outage_holds_up_nothing_behind_it(
    desk: Desk, bus: MemoryBus
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    bus.withhold_acks()
    buyer.message(s, "在吗", id="bbbbbbbb-1")
    assert await buyer.code("bbbbbbbb-1") == "retry"
    agent.message(s, "你是傻逼吗", id="aaaaaaaa-1")
    assert await agent.code("aaaaaaaa-1") == "retry"
    bus.release_acks()
    await agent.of("ev", s=s)
    agent.forget()

    agent.message(s, "你是傻逼吗", id="aaaaaaaa-1", again=True)
    assert await agent.code("aaaaaaaa-1") == "blocked"
    agent.message(s, "在的", id="aaaaaaaa-2")

    assert await agent.code("aaaaaaaa-2") is None
    await eventually(lambda: buyer.texts(s) == ["在吗", "在的"])


async def test_a_send_over_the_rate_is_refused_by_its_id_and_later_ones_wait_for_it(
    bus: MemoryBus,
) -> None:
    clock = StandingClock()
    async with opened(bus, clock=clock, frames_per_s=4, frames_burst=16) as desk:
        talk = desk.talk()
        buyer, agent = await desk.pair(talk)
        s = f"conv:{talk.id}"
        buyer.text(b'{"t":"ping"}'.ljust(12 * BYTES_PER_FRAME))  # counts as twelve of sixteen
        for number in range(1, 5):  # to subscribe took one
            buyer.message(s, f"{number}", id=f"aaaaaaaa-{number}")
        assert [await buyer.code(f"aaaaaaaa-{n}") for n in (1, 2, 3)] == [None] * 3
        assert await buyer.code("aaaaaaaa-4") == "rate_limited"

        clock.moment += 0.3
        buyer.message(s, "5", id="aaaaaaaa-5")
        assert await buyer.code("aaaaaaaa-5") == "retry"

        buyer.forget()
        for number in (4, 5):
            clock.moment += 0.3
            buyer.message(s, f"{number}", id=f"aaaaaaaa-{number}", again=True)
            assert await buyer.code(f"aaaaaaaa-{number}") is None
        await eventually(lambda: len(agent.texts(s)) == 5)
        assert agent.texts(s) == ["1", "2", "3", "4", "5"]


async def test_staff_have_one_rate_for_all_their_sockets_and_a_buyer_one_for_each(
    bus: MemoryBus,
) -> None:
    async with opened(bus, clock=StandingClock(), frames_per_s=1, frames_burst=16) as desk:
        for role, code in ((Role.AGENT, "rate_limited"), (Role.BUYER, None)):
            first, second = await desk.phone("a", role), await desk.phone("a", role)
            first.text(b'{"t":"ping"}'.ljust(16 * BYTES_PER_FRAME))
            await first.of("pong")
            second.say(t="sub", id="j", s="inbox")
            assert await second.code("j") == code


async def test_sends_refused_because_too_many_wait_do_not_overtake_those_that_wait(
    bus: MemoryBus,
) -> None:
    async with opened(bus, frames_per_s=1_000, frames_burst=1_000) as desk:
        talk = desk.talk()
        buyer, agent = await desk.pair(talk)
        s, count = f"conv:{talk.id}", WAITING + 10
        left = [f"aaaaaaaa-{number}" for number in range(count)]
        for _ in range(5):
            buyer.forget()
            for client_id in left:  # each is looked up, and all others wait behind the first
                buyer.message(s, client_id, id=client_id, again=True)
            codes = {client_id: await buyer.code(client_id) for client_id in left}
            left = [client_id for client_id, code in codes.items() if code is not None]

        assert left == []
        await eventually(lambda: len(agent.texts(s)) == count)
        assert agent.texts(s) == [f"aaaaaaaa-{number}" for number in range(count)]


async def _both_come_again_and_land(buyer: Phone, agent: Phone, s: str) -> None:
    """Resend two refused sends in their order, as a client does; they are shown in it, once."""
    buyer.forget()
    buyer.message(s, "一", id="aaaaaaaa-1", again=True)
    buyer.message(s, "二", id="aaaaaaaa-2", again=True)

    assert await buyer.code("aaaaaaaa-1") is None
    assert await buyer.code("aaaaaaaa-2") is None
    await eventually(lambda: len(agent.texts(s)) == 2)
    assert agent.texts(s) == ["一", "二"]


async def test_a_held_message_whose_incident_is_not_stored_stays_blocked(
    desk: Desk, bus: MemoryBus
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    bus.withhold_acks()
    agent.message(s, "你是傻逼吗", id="aaaaaaaa-1")
    agent.say(t="ping", ts=1)
    await agent.of("pong")
    assert not [f for f in agent.frames if f.get("id") == "aaaaaaaa-1"]
    bus.release_acks()

    assert await agent.code("aaaaaaaa-1") == "blocked"
    assert buyer.texts(s) == []
    assert len(bus.records("chat.incidents")) == 1


async def test_two_bodies_that_race_with_one_id_leave_the_first_and_tell_the_sender(
    desk: Desk, bus: MemoryBus
) -> None:
    async with opened(bus, history=desk.history, gateway_id="gateway-2") as second:
        talk = desk.talk()
        here, agent = await desk.pair(talk)
        there = await second.phone(talk.buyer_id, Role.BUYER)
        await second.join(there, talk)
        s = f"conv:{talk.id}"
        bus.withhold_acks()

        here.message(s, "先", id="aaaaaaaa-1")
        there.message(s, "后", id="aaaaaaaa-1")
        await eventually(lambda: held(bus) >= 2)
        bus.release_acks()

        loser = await there.get(lambda f: f["t"] == "err" and f["id"] == "aaaaaaaa-1")
        assert loser["problem"]["code"] == "conflict"
        await agent.of("ev", s=s)
        assert agent.texts(s) == ["先"]


async def test_a_drain_answers_every_send_and_closes_with_draining(bus: MemoryBus) -> None:
    async with opened(bus) as desk:
        talk = desk.talk()
        buyer, agent = await desk.pair(talk)
        s = f"conv:{talk.id}"
        bus.withhold_acks()
        for number in range(5):
            buyer.message(s, f"{number}", id=f"aaaaaaaa-{number}")
        await eventually(lambda: held(bus) >= 5)
    # The gateway stopped while nothing was acknowledged.
    codes = [await buyer.code(f"aaaaaaaa-{number}") for number in range(5)]
    assert codes == ["retry"] * 5
    assert (await buyer.of("goaway"))["reason"] == "draining"
    assert await buyer.close_code() == CloseCode.DRAINING
    assert await agent.close_code() == CloseCode.DRAINING


async def test_a_drain_waits_for_acks_that_come(bus: MemoryBus) -> None:
    async with opened(bus) as desk:
        talk = desk.talk()
        buyer, _ = await desk.pair(talk)
        bus.withhold_acks()
        buyer.message(f"conv:{talk.id}", "last", id="aaaaaaaa-1")
        await eventually(lambda: held(bus) >= 1)
        flushing = desk.service.sockets.drain.flush()
        bus.release_acks()
        await flushing
        assert await buyer.code("aaaaaaaa-1") is None


async def test_a_draining_gateway_is_not_ready_and_takes_no_new_socket(desk: Desk) -> None:
    desk.service.health.drain()
    await desk.service.sockets.drain.notice()
    async with httpx2.AsyncClient(verify=NO_TLS) as web:
        assert (await web.get(f"{desk.admin}/ready")).status_code == 503
    with pytest.raises(WSInvalidStatusError) as refused:
        await desk.dial()
    assert refused.value.response is not None
    assert refused.value.response.status == 503
    assert refused.value.response.headers["Retry-After"] == "1"
