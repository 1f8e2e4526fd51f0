"""Whoever comes back with a backlog sends it at the rate that is left and is not cut off."""

import asyncio
import random
from collections.abc import AsyncIterator
from functools import partial

import pytest

from contracts.frames import BYTES_PER_FRAME, CloseCode
from contracts.people import Role
from rehearsal.client import Client
from tests.integration.gateway.desk import Desk, memory_bus, opened
from tests.waiting import eventually

pytestmark = pytest.mark.integration

BURST = 16
WORDS = 40
LOST_LINES = 4


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A gateway whose people may say ten things a second."""
    async with opened(memory_bus(), frames_per_s=10, frames_burst=BURST) as found:
        yield found


async def test_a_welcome_says_how_much_of_the_burst_is_left(desk: Desk) -> None:
    left = {}
    for role in (Role.AGENT, Role.BUYER):
        first = await desk.phone("a", role)
        first.text(b'{"t":"ping"}'.ljust((BURST - 1) * BYTES_PER_FRAME))
        await first.of("pong")
        second = await desk.phone("a", role)
        left[role] = (await second.of("ready"))["frames_left"]

    assert left[Role.AGENT] < BURST - 1, "staff share one rate among their sockets"
    assert left[Role.BUYER] == BURST, "each of a buyer's sockets has its own"


async def test_a_backlog_over_lost_lines_is_sent_without_being_cut_off(desk: Desk) -> None:
    talk = desk.talk()
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    await desk.join(buyer, talk)
    agent = Client(
        desk.url.replace("http", "ws", 1) + "/v1/ws",
        desk.token(str(talk.agent_id)),
        rng=random.Random(1),
        backoff_s=(0.01, 0.1),
    )
    await agent.open()
    s = f"conv:{talk.id}"
    await agent.subscribe(s)
    sent = [
        agent.send(s, "text", {"text": f"{number}"}, client_id=f"aaaaaaaa-{number}")
        for number in range(WORDS)
    ]
    for lost in range(LOST_LINES):
        agent.drop()
        await eventually(partial(_came_back, agent, lost + 2), what=f"line {lost}")
    async with asyncio.timeout(60):
        answers = await asyncio.gather(*sent)
    await agent.close()

    assert {answer.code for answer in answers} == {None}
    assert CloseCode.RATE not in agent.close_codes
    await eventually(lambda: buyer.texts(s) == [f"{number}" for number in range(WORDS)])


def _came_back(client: Client, connects: int) -> bool:
    return client.connects >= connects
