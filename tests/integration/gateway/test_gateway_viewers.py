"""Who looks at a conversation, as staff who have it open are shown (F7)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from contracts.people import Role
from tests.integration.gateway.desk import Conversation, Desk, memory_bus, opened
from tests.integration.gateway.phone import Frame, Phone

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    """A gateway on a bus in memory, which knows two agents and a leader."""
    async with opened(memory_bus()) as found:
        for who, role in (("anne", Role.AGENT), ("bert", Role.AGENT), ("leader", Role.SUPERVISOR)):
            entry = found.listed(who, 1, name=who.title(), role=role, not_before=LONG_AGO)
            await found.publish(entry)
        yield found


async def looking(desk: Desk, talk: Conversation, who: str, role: Role = Role.AGENT) -> Phone:
    """Let somebody open a conversation and say that he looks."""
    phone = await desk.phone(who, role)
    await desk.join(phone, talk)
    phone.say(t="viewing", s=f"conv:{talk.id}", on=True)
    return phone


async def sees(phone: Phone, *names: str) -> None:
    """Wait until somebody's screen shows these and no others."""

    def fits(frame: Frame) -> bool:
        if (frame["t"], frame.get("k")) != ("patch", "viewers"):
            return False
        return [one["name"] for one in frame["d"]["viewers"]] == list(names)

    await phone.get(fits)


async def test_staff_are_shown_who_looks_and_agents_no_leader(desk: Desk) -> None:
    talk = desk.talk(agent="anne")
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    await desk.join(buyer, talk)
    anne = await looking(desk, talk, "anne")
    await sees(anne, "Anne")
    leader = await looking(desk, talk, "leader", Role.SUPERVISOR)
    await sees(leader, "Anne", "Leader")
    bert = await looking(desk, talk, "bert")

    await sees(leader, "Anne", "Leader", "Bert")
    for agent in (anne, bert):
        await sees(agent, "Anne", "Bert")
        assert not [raw for raw in agent.raw if b"Leader" in raw]

    bert.say(t="viewing", s=f"conv:{talk.id}", on=False)
    await sees(leader, "Anne", "Leader")
    assert not [one for one in buyer.frames if one["t"] == "patch"]


async def test_who_looks_away_on_one_of_two_screens_still_looks(desk: Desk) -> None:
    talk = desk.talk(agent="anne")
    leader = await looking(desk, talk, "leader", Role.SUPERVISOR)
    at_the_desk, on_the_phone = [await looking(desk, talk, "bert") for _ in range(2)]
    await sees(leader, "Leader", "Bert")

    on_the_phone.say(t="viewing", s=f"conv:{talk.id}", on=False)
    await looking(desk, talk, "anne")
    await sees(leader, "Leader", "Bert", "Anne")
    at_the_desk.say(t="viewing", s=f"conv:{talk.id}", on=False)
    await sees(leader, "Leader", "Anne")


async def test_who_comes_anew_is_told_with_his_own_word(desk: Desk) -> None:
    talk = desk.talk(agent="anne")
    await sees(await looking(desk, talk, "anne"), "Anne")

    again = await looking(desk, talk, "anne")

    await sees(again, "Anne")


async def test_a_buyer_and_who_has_nothing_open_say_nothing(desk: Desk) -> None:
    talk = desk.talk(agent="anne")
    anne = await looking(desk, talk, "anne")
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    await desk.join(buyer, talk)
    stranger = await desk.phone("bert")

    for phone in (buyer, stranger):
        phone.say(t="viewing", s=f"conv:{talk.id}", on=True)
        phone.say(t="ping", ts=1)
        await phone.of("pong")
    anne.forget()
    anne.say(t="viewing", s=f"conv:{talk.id}", on=True)

    await sees(anne, "Anne")
    assert buyer.closed is None


async def test_whom_nobody_knows_is_shown_to_leaders_alone(desk: Desk) -> None:
    talk = desk.talk(agent="anne")
    anne = await looking(desk, talk, "anne")
    leader = await looking(desk, talk, "leader", Role.SUPERVISOR)
    await looking(desk, talk, "unlisted")

    await sees(leader, "Anne", "Leader", "")
    anne.forget()
    anne.say(t="viewing", s=f"conv:{talk.id}", on=True)
    await sees(anne, "Anne")
