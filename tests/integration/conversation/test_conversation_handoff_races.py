"""Accepting beside everything else that ends a wait: one owner, nobody forgotten (N18, N19).

Each race is run many times, some of them side by side, for luck decides which way it goes.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

import httpx2
import pytest
import pytest_asyncio

from contracts.conversation import ConversationTransferred
from contracts.people import PersonId
from kit.clock import ManualClock
from services.conversation.seed import SeedSettings
from tests.integration.conversation import timed
from tests.integration.conversation.desk import Platform, code, ok
from tests.integration.conversation.offering import (
    OFFER_S,
    Scene,
    Talk,
    looked_at_by_hand,
    waiting,
)
from tests.integration.conversation.shift import agent_says
from tests.integration.conversation.talking import told

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(900),
    pytest.mark.parametrize("rounds", [1, pytest.param(40, marks=pytest.mark.heavy)]),
]

SIDE_BY_SIDE = 5
"""So many buyers, each of a shop of his own, are raced for at once; forty rounds are 200 races."""

clock = timed.clock


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings, clock: ManualClock) -> AsyncIterator[Platform]:
    """The service; its tests say when offers are looked at."""
    async with looked_at_by_hand(settings, clock) as running_platform:
        yield running_platform


Race = Callable[[Scene, Talk], Awaitable[None]]


async def raced(platform: Platform, clock: ManualClock, rounds: int, race: Race) -> None:
    for _ in range(rounds):
        coming = (waiting(platform, clock, for_s=0) for _ in range(SIDE_BY_SIDE))
        scenes = await asyncio.gather(*coming)
        clock.advance(OFFER_S)
        offers = [await scene.offered() for scene in scenes]
        await asyncio.gather(*(race(*pair) for pair in zip(scenes, offers, strict=True)))
        for scene in scenes:
            await scene.look()
            assert [one for one in await scene.asked() if one["id"] in _ids(offers)] == []


def _ids(offers: list[dict[str, str]]) -> set[str]:
    return {one["id"] for one in offers}


async def patient(call: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
    """Call again while the shop is busy, as clients do; nothing was done then."""
    while True:
        answer = await call()
        if answer.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
            return answer


def accepts(scene: Scene, offer: Talk) -> Awaitable[httpx2.Response]:
    return patient(lambda: scene.says(scene.ben, offer, "accept"))


async def transfers(scene: Scene) -> list[ConversationTransferred]:
    return await told(scene.platform, scene.shop.boss, scene.talk, ConversationTransferred)


async def test_n18_of_two_accepts_one_hands_on(
    platform: Platform, clock: ManualClock, rounds: int
) -> None:
    async def race(scene: Scene, offer: Talk) -> None:
        before = await scene.now()
        answers = await asyncio.gather(accepts(scene, offer), accepts(scene, offer))
        versions = {ok(one)["version"] for one in answers}
        after = await scene.now()
        assert versions == {after["version"]} == {before["version"] + 1}
        assert after["agent_id"] == scene.ben.id
        assert after["waiting_since"] == before["waiting_since"]
        assert len(await transfers(scene)) == 1

    await raced(platform, clock, rounds, race)


async def test_n18_what_is_closed_while_it_is_accepted_ends_closed(
    platform: Platform, clock: ManualClock, rounds: int
) -> None:
    async def race(scene: Scene, offer: Talk) -> None:
        path = f"/v1/conversations/{scene.talk['id']}/close"
        answer, closed = await asyncio.gather(
            accepts(scene, offer), patient(lambda: scene.shop.boss.post(path))
        )
        ok(closed)
        after = await scene.now()
        assert (after["state"], after["agent_id"]) == ("closed", None)
        handed_on = answer.status_code == httpx2.codes.OK
        assert handed_on or code(answer) == (409, "offer_over")
        assert len(await transfers(scene)) == int(handed_on)

    await raced(platform, clock, rounds, race)


async def test_n18_whose_agent_is_lost_while_he_is_accepted_has_one_owner_or_waits(
    platform: Platform, clock: ManualClock, rounds: int
) -> None:
    async def race(scene: Scene, offer: Talk) -> None:
        before = await scene.now()
        away = {"state": "offline"}
        answer, left = await asyncio.gather(
            accepts(scene, offer),
            patient(lambda: scene.anne.put("/v1/agents/me/state", away)),
        )
        ok(left)
        after = await scene.now()
        assert after["waiting_since"] == before["waiting_since"] is not None
        assert (after["state"], after["agent_id"]) == ("assigned", scene.ben.id)
        assert answer.status_code == httpx2.codes.OK or code(answer) == (409, "offer_over")

    await raced(platform, clock, rounds, race)


async def test_n19_who_answers_while_it_is_accepted_answers_once(
    platform: Platform, clock: ManualClock, rounds: int
) -> None:
    async def race(scene: Scene, offer: Talk) -> None:
        before = await scene.now()
        seat = before["assignment_version"]
        answer, _ = await asyncio.gather(
            accepts(scene, offer),
            agent_says(platform, before, "在的", assignment_version=seat),
        )
        handed_on = answer.status_code == httpx2.codes.OK
        assert handed_on or code(answer) == (409, "answered_meanwhile")
        moved = await transfers(scene)
        after = await scene.now()
        assert after["agent_id"] == (scene.ben.id if handed_on else scene.anne.id)
        assert [one.to_agent_id for one in moved] == [PersonId(scene.ben.id)] * int(handed_on)
        since = datetime.fromisoformat(before["waiting_since"])
        assert [one.waiting_since for one in moved] == [since] * int(handed_on)

    await raced(platform, clock, rounds, race)
