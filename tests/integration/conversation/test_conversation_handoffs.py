"""Before the breach: who is asked, what he may say to it, and what ends it (N16-N18, N20)."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from contracts.conversation import ConversationTransferred, HandoffOffered
from contracts.gateway import SignalSent
from contracts.people import ConversationId, PersonId, SenderKind, ShopId
from kit.clock import ManualClock
from services.conversation.seed import SeedSettings
from tests.integration.conversation import timed
from tests.integration.conversation.desk import Platform, code, ok
from tests.integration.conversation.offering import (
    BREACH_S,
    OFFER_S,
    looked_at_by_hand,
    waiting,
)
from tests.integration.conversation.shift import agent_says, archived_word, talk_now
from tests.integration.conversation.talking import told
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

clock = timed.clock


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings, clock: ManualClock) -> AsyncIterator[Platform]:
    """The service; its tests say when offers are looked at."""
    async with looked_at_by_hand(settings, clock) as running_platform:
        yield running_platform


async def test_n17_a_colleague_is_asked_and_the_seat_stays_whose_it_is(
    platform: Platform, clock: ManualClock
) -> None:
    scene = await waiting(platform, clock)
    before = await scene.now()

    offer = await scene.offered()

    after = await scene.now()
    assert after["agent_id"] == scene.anne.id
    assert after["assignment_version"] == before["assignment_version"]
    assert after["version"] == before["version"] + 1
    since = datetime.fromisoformat(after["waiting_since"])
    left = datetime.fromisoformat(offer["expires_at"]) - clock.now()
    assert timedelta(seconds=7.99) < left <= timedelta(seconds=8)
    assert datetime.fromisoformat(offer["breach_at"]) == since + timedelta(seconds=BREACH_S)
    seen = offer["conversation"]
    assert (seen["id"], seen["buyer"]["masked"]) == (scene.talk["id"], True)
    assert seen["skill_group_id"] == scene.talk["skill_group_id"]
    (event,) = await told(platform, scene.shop.boss, scene.talk, HandoffOffered)
    assert (event.offer_id, event.agent_id) == (offer["id"], scene.ben.id)


async def test_n18_accepted_the_buyer_s_clock_goes_on_as_it_is(
    platform: Platform, clock: ManualClock
) -> None:
    scene = await waiting(platform, clock)
    before = await scene.now()
    offer = await scene.offered()
    clock.advance(4)

    shown = ok(await scene.says(scene.ben, offer, "accept"))

    assert (shown["agent_id"], shown["mode"]) == (scene.ben.id, "routed")
    assert shown["waiting_since"] == before["waiting_since"] is not None
    assert await scene.asked() == []
    (moved,) = await told(platform, scene.shop.boss, scene.talk, ConversationTransferred)
    assert (moved.reason, moved.offer_id, moved.by) == ("handoff", offer["id"], "system")
    assert (moved.from_agent_id, moved.to_agent_id) == (scene.anne.id, scene.ben.id)
    assert moved.waiting_since == datetime.fromisoformat(before["waiting_since"])
    assert moved.note
    again = ok(await scene.says(scene.ben, offer, "accept"))
    assert again["version"] == shown["version"]
    await scene.passes(1)
    assert (await scene.now())["version"] == shown["version"]


async def test_n18_who_comes_behind_the_answer_is_told_so(
    platform: Platform, clock: ManualClock
) -> None:
    scene = await waiting(platform, clock)
    offer = await scene.offered()
    talk = await scene.now()
    await agent_says(platform, talk, "在的", assignment_version=talk["assignment_version"])

    assert code(await scene.says(scene.ben, offer, "accept")) == (409, "answered_meanwhile")
    await scene.look()

    assert await scene.asked() == []
    assert await scene.ended() == ["answered"]
    assert (await scene.now())["agent_id"] == scene.anne.id
    assert code(await scene.says(scene.ben, offer, "accept")) == (409, "answered_meanwhile")


async def test_n18_an_offer_that_is_over_is_nobody_s_to_accept(
    platform: Platform, clock: ManualClock
) -> None:
    scene = await waiting(platform, clock)
    offer = await scene.offered()
    clock.advance(9.5)

    late = await scene.says(scene.ben, offer, "accept")
    foreign = await scene.says(scene.anne, offer, "accept")
    await scene.look()

    assert code(late) == (409, "offer_over")
    assert foreign.status_code == 404
    assert await scene.ended() == ["expired"]


async def test_n18_who_is_full_by_now_is_told_so(platform: Platform, clock: ManualClock) -> None:
    scene = await waiting(platform, clock, capacity=1)
    offer = await scene.offered()
    await scene.anne.be("suspended")
    other = await scene.shop.buyer()
    taken = ok(await other.post("/v1/conversations"), 201)
    assert taken["agent_id"] == scene.ben.id

    assert code(await scene.says(scene.ben, offer, "accept")) == (409, "agent_full")


async def test_n18_a_decline_asks_the_next_and_counts_against_nobody(
    platform: Platform, clock: ManualClock
) -> None:
    scene = await waiting(platform, clock)
    offer = await scene.offered()
    clara = await scene.another()

    ok(await scene.says(scene.ben, offer, "decline"))
    await scene.passes(1)

    assert await scene.ended() == ["declined"]
    assert len(await scene.asked(clara)) == 1
    assert await scene.asked() == []


@pytest.mark.parametrize(("how", "outcome"), [("close", "closed"), ("give-back", "moved")])
async def test_n18_what_ends_the_wait_ends_the_offer(
    platform: Platform, clock: ManualClock, how: str, outcome: str
) -> None:
    scene = await waiting(platform, clock)
    offer = await scene.offered()

    ok(await scene.anne.post(f"/v1/conversations/{scene.talk['id']}/{how}"))

    assert code(await scene.says(scene.ben, offer, "accept")) == (409, "offer_over")
    await scene.look()
    assert await scene.ended() == [outcome]
    assert [one for one in await scene.asked() if one["id"] == offer["id"]] == []


@pytest.mark.parametrize("who", ["full", "away", "waited_for"])
async def test_n17_who_has_enough_to_do_is_not_asked(
    platform: Platform, clock: ManualClock, who: str
) -> None:
    scene = await waiting(platform, clock, capacity=1 if who == "full" else 4)
    if who == "away":
        await scene.ben.be("break")
    else:
        await scene.anne.be("suspended")
        other = await scene.shop.buyer()
        talk = ok(await other.post("/v1/conversations"), 201)
        assert talk["agent_id"] == scene.ben.id
        if who == "waited_for":
            await archived_word(platform, talk, "在吗", kind=SenderKind.BUYER)
            clock.advance(21)

    await scene.long()

    assert await scene.asked() == []


async def test_n20_nobody_is_told_once_shortly_before_the_limit(
    platform: Platform, clock: ManualClock
) -> None:
    scene = await waiting(platform, clock)
    await scene.ben.be("break")
    await scene.long(breach_s=40)
    await scene.passes(10)
    assert (await scene.now())["version"] == scene.talk["version"]

    await scene.passes(40 - OFFER_S - 10 - 2)
    await scene.passes(1)

    assert await scene.ended() == ["nobody"]


async def test_n20_who_becomes_free_is_asked_within_the_next_look(
    platform: Platform, clock: ManualClock
) -> None:
    scene = await waiting(platform, clock)
    await scene.ben.be("break")
    await scene.long()
    await scene.ben.be("online")

    await scene.passes(1)

    assert len(await scene.asked()) == 1


async def test_n20_for_one_wait_three_are_asked_at_most(
    platform: Platform, clock: ManualClock
) -> None:
    scene = await waiting(platform, clock)
    await scene.offered()
    for _ in range(3):
        await scene.another()

    for _ in range(5):
        await scene.passes(9.5)
        await scene.passes(1)

    found = await told(platform, scene.shop.boss, scene.talk, HandoffOffered)
    assert len({one.agent_id for one in found}) == len(found) == 3
    assert await scene.ended() == ["expired"] * 3


async def test_n20_who_had_the_buyer_lately_does_not_get_him_back(
    platform: Platform, clock: ManualClock
) -> None:
    scene = await waiting(platform, clock)
    offer = await scene.offered()
    ok(await scene.says(scene.ben, offer, "accept"))
    talk = await scene.now()
    await agent_says(platform, talk, "在的", assignment_version=talk["assignment_version"])
    await archived_word(platform, talk, "还在吗", kind=SenderKind.BUYER)
    clock.advance(OFFER_S)

    await scene.long(agent_id=PersonId(scene.ben.id))

    assert await scene.asked(scene.anne) == []


async def test_n16_while_the_agent_types_nobody_is_asked(
    platform: Platform, clock: ManualClock
) -> None:
    scene = await waiting(platform, clock)
    sign = SignalSent(
        id=platform.service.ids.new(),
        time=clock.now(),
        shop_id=ShopId(scene.shop.id),
        conversation_id=ConversationId(scene.talk["id"]),
        person_id=PersonId(scene.anne.id),
        signal="typing",
    )
    await platform.publish(sign)
    about_to = platform.service.offering.is_typing
    await eventually(lambda: about_to(sign.conversation_id, sign.person_id))

    await scene.long()
    assert await scene.asked() == []
    await scene.passes(3)

    assert len(await scene.asked()) == 1


async def test_n16_what_comes_late_twice_or_to_a_shop_that_asks_nobody_changes_nothing(
    platform: Platform, clock: ManualClock
) -> None:
    scene = await waiting(platform, clock)
    timing = f"/v1/shops/{scene.shop.id}/timing"
    await scene.long(time=clock.now() - timedelta(seconds=11))
    await scene.long(breach_s=OFFER_S + 2)
    ok(await scene.shop.boss.patch(timing, {"handoff": {"offer_s": None}}))
    due = await scene.long()
    assert await scene.asked() == []

    ok(await scene.shop.boss.patch(timing, {"handoff": {"offer_s": 10}}))
    await platform.service.offering.begin(due)
    (offer,) = await scene.asked()
    await platform.service.offering.begin(due)

    assert [one["id"] for one in await scene.asked()] == [offer["id"]]
    audited = ok(await scene.shop.boss.get("/v1/audit/conversation"))["items"]
    notes = [one["note"] for one in audited if one["action"] == "shop.timing_set"]
    assert "handoff_offer_s 25 -> None" in notes


async def test_n16_the_monitor_s_word_comes_over_the_bus(
    platform: Platform, clock: ManualClock
) -> None:
    scene = await waiting(platform, clock)
    due = await scene.long(breach_s=OFFER_S)  # too late to be looked for
    breach_at = due.waiting_since + timedelta(seconds=BREACH_S)
    told_again = due.model_copy(update={"breach_at": breach_at})
    await platform.publish(told_again)

    assert await eventually(scene.asked)
    assert (await talk_now(scene.anne, scene.talk))["agent_id"] == scene.anne.id
