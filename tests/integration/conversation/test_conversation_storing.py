"""Storing has no precondition (H30): whatever people do, all that is acknowledged is archived."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from contracts.gateway import ChatMessage
from contracts.people import SenderKind
from kit.bus.deadletter import letters
from kit.bus.ports import Position
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Person, Platform, Shop, ok, started
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SLOW_BUT_SURE = settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings) -> AsyncIterator[Platform]:
    """The service, running, its own."""
    async with started(settings) as running_platform:
        yield running_platform


@dataclass
class House:
    """A shop in which two buyers have as many conversations as they like."""

    platform: Platform
    shop: Shop
    agent: Person
    buyers: list[Person]
    talks: list[list[dict[str, Any]]] = field(default_factory=lambda: [[], []])
    said: list[tuple[ChatMessage, Position]] = field(default_factory=list)

    async def do(self, step: tuple[str, int, int]) -> None:
        """Do what somebody may try; he may be refused, the service may not fail."""
        what, who, which = step
        answer = None
        talk = self.talks[who][which % len(self.talks[who])] if self.talks[who] else None
        match what:
            case "open":
                made = ok(await self.buyers[who].post("/v1/conversations"), 201)
                if made["id"] not in [one["id"] for one in self.talks[who]]:
                    self.talks[who].append(made)
            case "close" | "reopen" if talk is not None:
                actor = self.shop.boss if what == "close" else self.agent
                answer = await actor.post(f"/v1/conversations/{talk['id']}/{what}")
            case "say" if talk is not None:
                self.said.append(await self.platform.say(talk, what))
            case "answer" if talk is not None:
                seated = talk | {"agent_id": self.agent.id}
                word = await self.platform.say(seated, what, kind=SenderKind.AGENT)
                self.said.append(word)
            case "online" | "offline" | "break" | "suspended":
                await self.agent.be(what)
            case _:
                pass  # nobody has a conversation yet
        assert answer is None or answer.status_code < 500, answer.text


async def _house(platform: Platform) -> House:
    await platform.sign_in_admin()
    shop = await platform.shop()
    # Whoever comes back is given a new conversation at once: of one buyer there are many.
    wish = {"reopen_gap_s": 0, "overflow_s": 0}
    ok(await shop.boss.patch(f"/v1/shops/{shop.id}/timing", wish))
    buyers = [await shop.buyer(), await shop.buyer()]
    return House(platform, shop, await shop.staff(capacity=1), buyers)


WHAT = ("open", "say", "say", "close", "open", "answer", "reopen", "offline", "online", "break")


@SLOW_BUT_SURE
@example(steps=[("close", 0, 0), ("open", 0, 0), ("say", 0, 0), ("say", 0, 1), ("answer", 0, 1)])
@example(steps=[("close", 0, 0), ("open", 0, 0), ("close", 0, 1), ("say", 0, 0), ("say", 0, 1)])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(WHAT), st.integers(0, 1), st.integers(0, 3)),
        min_size=5,
        max_size=25,
    )
)
async def test_no_sequence_of_legal_commands_keeps_a_word_out_of_the_archive(
    platform: Platform, steps: list[tuple[str, int, int]]
) -> None:
    house = await _house(platform)
    for step in [("open", 0, 0), ("open", 1, 0), *steps]:
        await house.do(step)

    await eventually(lambda: _archived(platform, house))
    await eventually(lambda: _acted_on(platform, house.shop))
    dead = {
        Position(one.partition, one.offset)
        for one in await letters(platform.service.bus, "conversation.archive")
    }
    assert dead.isdisjoint(place for _, place in house.said)
    assert platform.service.archive.role.loop.rests_because is None


async def _archived(platform: Platform, house: House) -> bool:
    wanted = [said.id for said, _ in house.said]
    async with platform.service.db.read_across("a test") as session:
        query = text("select count(*) from messages where message_id = any(cast(:ids as uuid[]))")
        return bool((await session.execute(query, {"ids": wanted})).scalar_one() == len(wanted))


async def _acted_on(platform: Platform, shop: Shop) -> bool:
    async with platform.service.db.read_across("a test") as session:
        query = text("select count(*) from contacts where shop_id = :shop")
        return bool((await session.execute(query, {"shop": shop.id})).scalar_one() == 0)
