"""The demo shop is alive: simulated people talk, and a newcomer's own buyer waits for him."""

from collections.abc import Iterator
from typing import Any

import pytest

from launcher import player, seed
from launcher.instance.processes import Processes
from player.shop import DEMO_SHOP
from rehearsal.api import Api
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import Person

pytestmark = pytest.mark.journey

WITHIN_S = 90.0
"""Nine people sign in on a busy machine before the first of them speaks."""


@pytest.fixture
def processes(platform: Platform) -> Iterator[Processes]:
    """A player at work beside the platform, ended afterwards."""
    found = Processes(platform.known)
    found.start(player.command(platform.known))
    yield found
    found.stop(player.NAME)


async def test_a_newcomers_buyer_waits_for_him_and_answers_him(
    platform: Platform, processes: Processes
) -> None:
    before = dict(platform.pids())
    async with Api(platform.url) as api:
        password = seed.password_of(platform.known, "agent")
        newcomer = Person(api, await api.sign_in("agent1@demo", password), DEMO_SHOP)
        await newcomer.connect("inbox")
        try:
            # A player first closes what one before it left open, which is nobody's buyer to serve.
            await eventually(lambda: _colleague_is_there(newcomer), within=WITHIN_S)
            await newcomer.call("PUT", "/v1/agents/me/state", {"state": "online"})
            talk = await eventually(lambda: _given_to(newcomer), within=WITHIN_S)
            await newcomer.client.subscribe(f"conv:{talk}")
            await eventually(lambda: len(newcomer.texts(talk)) == 1, within=WITHIN_S)

            await newcomer.say(talk, "在的，您请说")

            await eventually(lambda: len(newcomer.texts(talk)) >= 3, within=WITHIN_S)
            others = await eventually(lambda: _served_by_colleagues(newcomer), within=WITHIN_S)
            assert all(one["shop_id"] == DEMO_SHOP for one in others)

            last = _given_to(newcomer)
            platform.kill(player.NAME)
            processes.start(player.command(platform.known))
            await eventually(lambda: _given_to(newcomer, beside=last), within=WITHIN_S)
        finally:
            await newcomer.call("PUT", "/v1/agents/me/state", {"state": "offline"})
            await newcomer.leave()
    after = dict(platform.pids())
    assert after.pop(player.NAME) != before.pop(player.NAME)
    assert after == before


async def test_who_ends_the_player_leaves_no_colleague_signed_in(platform: Platform) -> None:
    processes = Processes(platform.known)
    async with Api(platform.url) as api:
        password = seed.password_of(platform.known, "agent")
        colleague = await api.sign_in("agent3@demo", password)

        async def sessions() -> int:
            return len((await api.call("GET", "/v1/sessions", token=colleague.token))["items"])

        async def state() -> str:
            found = [one async for one in api.pages("/v1/agents", token=colleague.token)]
            return next(str(one["state"]) for one in found if one["id"] == colleague.person_id)

        async def is_on_duty() -> bool:
            return await state() == "online"

        before = await sessions()
        processes.start(player.command(platform.known))
        try:
            await eventually(is_on_duty, within=WITHIN_S)
            assert await sessions() == before + 1
        finally:
            processes.stop(player.NAME)

        assert await sessions() == before
        assert await state() == "offline"


def _given_to(newcomer: Person, *, beside: str = "") -> str:
    """Return the newest conversation that the inbox was given, if it is another than `beside`."""
    given = [
        str(frame.d["conversation_id"])
        for frame in newcomer.events
        if frame.s == "inbox" and frame.type == "conversation.assigned.v1"
    ]
    return given[-1] if given and given[-1] != beside else ""


async def _colleague_is_there(newcomer: Person) -> bool:
    found = await newcomer.call("GET", "/v1/agents")
    return any(one["state"] == "online" for one in found["items"] if one["id"] != newcomer.id)


async def _served_by_colleagues(newcomer: Person) -> list[dict[str, Any]]:
    found = await newcomer.call("GET", "/v1/conversations?state=assigned")
    return [one for one in found["items"] if one["agent_id"] not in {None, newcomer.id}]
