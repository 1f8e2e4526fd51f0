"""The buyer's clock over changes of hands, and who gives his buyers away (H37, H38)."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from contracts.conversation import (
    ConversationAssigned,
    ConversationQueued,
    ConversationTransferred,
)
from kit.clock import ManualClock
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Person, Platform, Shop, ok, started
from tests.integration.conversation.shift import (
    agent_says,
    buyer_says,
    let_pass,
    open_talk,
    report_staff,
    talk_now,
    until_queued,
)
from tests.integration.conversation.talking import archived, events
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clock() -> ManualClock:
    """The business time of this module's service, in whole milliseconds as events carry it."""
    return ManualClock(datetime.now(UTC).replace(microsecond=0))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings, clock: ManualClock) -> AsyncIterator[Platform]:
    """The service on that clock."""
    async with started(settings, clock=clock) as running_platform:
        yield running_platform


async def test_golden_case_17_the_clock_counts_from_the_first_word(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await _patient_shop(platform)
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


async def test_a_hand_over_goes_on_with_the_buyers_wait(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await _patient_shop(platform)
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
    shop = await _patient_shop(platform)
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
    shop = await _patient_shop(platform)
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


async def _patient_shop(platform: Platform) -> Shop:
    """Return a shop whose silent agents keep their buyers for an hour."""
    shop = await platform.shop()
    ok(await shop.boss.patch(f"/v1/shops/{shop.id}/timing", {"silence_s": 3_600}))
    return shop


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
