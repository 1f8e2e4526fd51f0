"""How far somebody has read: told to the other side and to his own devices (F6)."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.gateway.desk import GENERATION, Desk, memory_bus, opened

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    """A gateway on a bus in memory."""
    async with opened(memory_bus()) as found:
        yield found


async def test_what_was_read_is_told_to_the_other_side_and_on_ones_other_devices(
    desk: Desk,
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    phone = await desk.phone(talk.agent_id or "")
    await desk.join(phone, talk)
    s = f"conv:{talk.id}"
    buyer.message(s, "在吗", id="11111111-1")
    place = (await buyer.answer("11111111-1"))["d"]["position"]
    await agent.of("ev", s=s)

    agent.say(t="read", s=s, position=place)

    for other in (buyer, phone, agent):
        seen = (await other.of("patch", s=s))["d"]["read"]
        assert (seen["person_id"], seen["position"]) == (talk.agent_id, place)


@pytest.mark.parametrize("claimed", [[1, 2**53], [9, 0], None])
async def test_nothing_counts_as_read_beyond_what_was_sent(
    desk: Desk, claimed: list[int] | None
) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    buyer.message(s, "在吗", id="11111111-1")
    place = (await buyer.answer("11111111-1"))["d"]["position"]
    await agent.of("ev", s=s)

    agent.say(t="read", s=s, position=claimed)

    seen = (await buyer.of("patch", s=s))["d"]["read"]
    assert seen["position"] == place


async def test_a_snapshot_says_how_far_both_have_read(desk: Desk) -> None:
    read = {"buyer": [GENERATION, 3], "owner": None}
    talk, older = desk.talk(read=read), desk.talk()
    agent = await desk.phone(talk.agent_id or "")

    await desk.join(agent, talk)
    await desk.join(agent, older)

    assert (await agent.of("snap", s=f"conv:{talk.id}"))["d"]["read"] == read
    assert "read" not in (await agent.of("snap", s=f"conv:{older.id}"))["d"]
