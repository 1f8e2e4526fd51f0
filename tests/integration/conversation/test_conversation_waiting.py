"""The buyer's clock over changes of hands, and who gives his buyers away (H37, H38)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import (
    ConversationAssigned,
    ConversationQueued,
    ConversationTransferred,
)
from kit.clock import ManualClock
from services.conversation.archive import repository as archive
from services.conversation.archive.domain import Batch
from services.conversation.archive.repository import ArchivedRow
from services.conversation.routing import registration as routing
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Person, Platform, code, ok
from tests.integration.conversation.shift import (
    agent_says,
    buyer_says,
    let_pass,
    open_talk,
    report_staff,
    state_of,
    talk_now,
    until_queued,
    watched_by_hand,
)
from tests.integration.conversation.talking import archived, events, has_text
from tests.waiting import PATIENCE_S, eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clock() -> ManualClock:
    """The business time of this module's service, in whole milliseconds as events carry it."""
    return ManualClock(datetime.now(UTC).replace(microsecond=0))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings, clock: ManualClock) -> AsyncIterator[Platform]:
    """The service on that clock; its own sweep takes nobody from a silent agent."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routing, "SILENCE_LOOK_S", 86_400.0)
        async with watched_by_hand(settings, clock) as running_platform:
            yield running_platform


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _signed_in(platform: Platform) -> None:
    """Tokens live for a quarter of an hour, and the tests before have moved the clock."""
    await platform.sign_in_admin()


async def test_golden_case_17_the_clock_counts_from_the_first_word(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    lost = await shop.staff(capacity=1)
    talk = await open_talk(await shop.buyer())
    await report_staff(platform, lost)
    first_word = clock.now()
    await buyer_says(platform, talk, "在吗")
    clock.advance(100)
    await buyer_says(platform, talk, "还在吗")
    younger = await open_talk(await shop.buyer())
    clock.advance(168)

    await let_pass(platform, clock, 32)

    requeued = await talk_now(lost, talk)
    assert (requeued["state"], _moment(requeued)) == ("queued", first_word)
    following = await shop.staff(capacity=1)
    assert (await talk_now(following, talk))["agent_id"] == following.id
    assert _moment(await talk_now(following, talk)) == first_word
    assert (await talk_now(following, younger))["state"] == "queued"
    queued = await _told(platform, talk, ConversationQueued)
    assigned = await _told(platform, talk, ConversationAssigned, at_least=2)
    assert queued[-1].waiting_since == first_word
    assert [one.waiting_since for one in assigned] == [None, first_word]


async def test_a_buyer_in_the_queue_waits_since_his_word_and_not_since_he_came(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    agent, buyer = await shop.staff(capacity=1), await shop.buyer()
    await open_talk(await shop.buyer())
    talk = await open_talk(buyer)
    opened = await open_talk(buyer)

    [silent] = ok(await agent.get("/v1/conversations", state="queued"))["items"]
    assert {one["state"] for one in (talk, opened, silent)} == {"queued"}
    assert {_moment(one) for one in (talk, opened, silent)} == {None}

    clock.advance(25)
    first_word = clock.now()
    await buyer_says(platform, talk, "在吗")

    [asking] = ok(await agent.get("/v1/conversations", state="queued"))["items"]
    opened = await open_talk(buyer)
    assert (opened["id"], opened["state"]) == (talk["id"], "queued")
    assert {_moment(one) for one in (opened, asking)} == {first_word}


async def test_a_hand_over_goes_on_with_the_buyers_wait(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    giver, other = await shop.staff(), await shop.staff(skill_groups=["complaint"])
    talk = await open_talk(await shop.buyer(), topic="pre_sale")
    first_word = clock.now()
    await buyer_says(platform, talk, "我要投诉")
    clock.advance(40)

    over = {"to_group": "complaint", "note": "投诉"}
    moved = ok(await giver.post(f"/v1/conversations/{talk['id']}/transfer", over))

    assert (moved["agent_id"], _moment(moved)) == (other.id, first_word)
    [told] = await _told(platform, talk, ConversationTransferred)
    assert told.waiting_since == first_word
    clock.advance(10)
    back = {"to_agent": giver.id, "note": "还是你"}
    assert (
        _moment(ok(await other.post(f"/v1/conversations/{talk['id']}/transfer", back)))
        == first_word
    )


async def test_an_answered_buyer_waits_since_no_moment(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    talk = await open_talk(await shop.buyer())
    await buyer_says(platform, talk, "有货吗")
    await agent_says(platform, talk, "有的")
    [shown] = ok(await agent.get("/v1/conversations", agent_id=agent.id))["items"]
    assert shown["waiting_since"] is None

    clock.advance(10)
    asked_again = clock.now()
    await buyer_says(platform, talk, "多少钱")

    [shown] = ok(await agent.get("/v1/conversations", agent_id=agent.id))["items"]
    [mine] = ok(await agent.get("/v1/inbox"))["conversations"]
    assert _moment(shown) == _moment(mine) == asked_again


async def test_who_comes_back_waits_since_he_wrote(platform: Platform, clock: ManualClock) -> None:
    shop = await platform.shop()
    agent = await shop.staff(capacity=1)
    buyer = await shop.buyer()
    talk = await open_talk(buyer)
    await buyer_says(platform, talk, "没人理我")
    closed = ok(await agent.post(f"/v1/conversations/{talk['id']}/close"))
    assert closed["waiting_since"] is None
    await agent.be("offline")
    await eventually(lambda: _history_has(agent, talk, "conversation.closed.v1"))
    clock.advance(60)
    wrote = clock.now()

    await buyer_says(platform, talk, "喂")

    assert _moment(await until_queued(agent, talk)) == wrote


async def _history_has(reader: Person, talk: Mapping[str, Any], kind: str) -> bool:
    return kind in [one["type"] for one in await archived(reader, talk)]


async def _told(
    platform: Platform, talk: Mapping[str, Any], kind: type[Any], *, at_least: int = 1
) -> list[Any]:
    async def enough() -> list[Any]:
        found = await events(platform, "chat", talk["id"], kind)
        return found if len(found) >= at_least else []

    return await eventually(enough)


def _moment(shown: Mapping[str, Any]) -> datetime | None:
    since = shown["waiting_since"]
    return None if since is None else datetime.fromisoformat(since)


@pytest.mark.parametrize("state", ["break", "offline"])
async def test_who_goes_away_gives_the_waiting_buyers_at_once_and_the_answered_when_they_write(
    platform: Platform, state: str
) -> None:
    shop = await platform.shop()
    leaving = await shop.staff()
    asked, answered = [await open_talk(await shop.buyer()) for _ in range(2)]
    for talk in (asked, answered):
        await buyer_says(platform, talk, "在吗")
    await agent_says(platform, answered, "在的")
    colleague = await shop.staff()

    await leaving.be(state)

    assert (await talk_now(colleague, asked))["agent_id"] == colleague.id
    assert (await talk_now(colleague, answered))["agent_id"] == leaving.id
    await buyer_says(platform, answered, "好的，再问一下")
    await eventually(lambda: _is_with(colleague, answered))


@pytest.mark.parametrize("state", ["break", "offline"])
async def test_a_word_that_is_being_stored_while_its_agent_goes_away_is_found_by_the_next_look(
    platform: Platform, clock: ManualClock, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stores it sees him at his desk, who takes his buyers from him does not see the word."""
    shop = await platform.shop()
    leaving = await shop.staff()
    asked, answered = [await open_talk(await shop.buyer()) for _ in range(2)]
    await buyer_says(platform, answered, "在吗")
    await agent_says(platform, answered, "在的")
    colleague = await shop.staff()
    stored, gone, plain = asyncio.Event(), asyncio.Event(), archive.store

    async def held(session: AsyncSession, batch: Batch, **more: Any) -> list[ArchivedRow]:
        looks = await plain(session, batch, **more)
        if asked["id"] in batch.conversations:
            stored.set()
            await gone.wait()
        return looks

    monkeypatch.setattr(archive, "store", held)
    await platform.say(asked, "在吗")
    await asyncio.wait_for(stored.wait(), PATIENCE_S)
    try:
        await leaving.be(state)
    finally:
        gone.set()
    await eventually(lambda: has_text(colleague, asked, "在吗"))
    assert (await talk_now(colleague, asked))["agent_id"] == leaving.id
    clock.advance(1)

    await _relieve(platform)

    assert (await talk_now(colleague, asked))["agent_id"] == colleague.id
    assert (await talk_now(colleague, answered))["agent_id"] == leaving.id


async def test_a_suspended_agent_keeps_all_even_those_who_wait_for_long(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    talk = await open_talk(await shop.buyer())
    await buyer_says(platform, talk, "在吗")
    await shop.staff()

    await agent.be("suspended")
    clock.advance(600)
    await _relieve(platform)
    await buyer_says(platform, talk, "还在吗")

    assert (await talk_now(agent, talk))["agent_id"] == agent.id


async def test_what_a_leader_suspended_a_leader_lifts(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    path = f"/v1/agents/{agent.id}/state"
    ok(await shop.boss.put(path, {"state": "suspended"}))

    for wanted in ("online", "busy"):
        refused = await agent.put("/v1/agents/me/state", {"state": wanted})
        assert code(refused) == (409, "suspended_by_leader")
    # Nor by a way round: through a break, a sign-off, or by suspending himself.
    for detour in ("break", "offline", "suspended"):
        await agent.be(detour)
        refused = await agent.put("/v1/agents/me/state", {"state": "online"})
        assert code(refused) == (409, "suspended_by_leader")
    assert (await open_talk(await shop.buyer()))["state"] == "queued"

    ok(await shop.boss.put(path, {"state": "online"}))
    await agent.be("break")
    await agent.be("online")

    assert await state_of(agent) == "online"


async def test_who_suspended_himself_lifts_it_unless_a_leader_has_joined(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    await agent.be("suspended")
    await agent.be("online")
    await agent.be("suspended")

    ok(await shop.boss.put(f"/v1/agents/{agent.id}/state", {"state": "suspended"}))

    refused = await agent.put("/v1/agents/me/state", {"state": "online"})
    assert code(refused) == (409, "suspended_by_leader")


async def test_a_leaders_suspension_outlives_a_lost_connection(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    ok(await shop.boss.put(f"/v1/agents/{agent.id}/state", {"state": "suspended"}))
    await report_staff(platform, agent)
    await let_pass(platform, clock, 32)
    assert await state_of(agent) == "offline"

    refused = await agent.put("/v1/agents/me/state", {"state": "online"})
    await report_staff(platform, agent)
    await let_pass(platform, clock, 1)

    assert code(refused) == (409, "suspended_by_leader")
    assert await state_of(agent) == "suspended"


@pytest.mark.parametrize(
    ("behind_s", "taken"), [(None, False), (11, False), (9, False), (7, True), (0, True)]
)
async def test_silence_is_judged_through_the_moment_that_the_archive_holds(
    platform: Platform, clock: ManualClock, behind_s: float | None, *, taken: bool
) -> None:
    """The buyer has waited for 188 s, where 180 are borne (H48)."""
    shop = await platform.shop()
    silent = await shop.staff()
    talk = await open_talk(await shop.buyer())
    await buyer_says(platform, talk, "在吗")
    colleague = await shop.staff()

    clock.advance(188)

    await _relieve(platform, behind_s=behind_s)

    owner = colleague if taken else silent
    assert (await talk_now(silent, talk))["agent_id"] == owner.id


async def _relieve(platform: Platform, *, behind_s: float | None = 0) -> None:
    """SweepLoop, the archive so far behind."""
    service = platform.service

    async def through() -> datetime | None:
        return None if behind_s is None else service.clock.now() - timedelta(seconds=behind_s)

    await replace(service.sweeps, through=through).relieve()


async def _is_with(agent: Person, talk: Mapping[str, Any]) -> bool:
    return bool((await talk_now(agent, talk))["agent_id"] == agent.id)
