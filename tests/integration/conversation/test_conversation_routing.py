"""Who gets whom, on a clock that the test moves: loss, return, overflow, silence, work items."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts.conversation import AgentStateChanged, ConversationQueued
from contracts.people import AgentState, ShopId
from contracts.work import WorkAssigned, WorkSettled
from kit.clock import ManualClock
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Person, Platform, ok
from tests.integration.conversation.shift import (
    buyer_says,
    let_pass,
    new_work,
    open_talk,
    report_staff,
    state_of,
    talk_now,
    until_queued,
    watched_by_hand,
)
from tests.integration.conversation.talking import complete, events
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clock() -> ManualClock:
    """The business time of this module's service."""
    return ManualClock(datetime.now(UTC))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings, clock: ManualClock) -> AsyncIterator[Platform]:
    """The service on that clock."""
    async with watched_by_hand(settings, clock) as running_platform:
        yield running_platform


async def test_the_least_loaded_agent_is_chosen(platform: Platform) -> None:
    shop = await platform.shop()
    agents = [await shop.staff(capacity=3) for _ in range(3)]

    owners = [(await open_talk(await shop.buyer()))["agent_id"] for _ in range(9)]

    assert {owners.count(agent.id) for agent in agents} == {3}
    assert (await open_talk(await shop.buyer()))["state"] == "queued"


async def test_a_suspended_agent_keeps_his_buyers_and_gets_no_new_one(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    mine = await open_talk(await shop.buyer())
    await agent.be("suspended")

    new = await open_talk(await shop.buyer())

    assert new["state"] == "queued"
    assert (await talk_now(agent, mine))["agent_id"] == agent.id


async def test_whoever_comes_online_gets_the_one_who_waits_longest(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    agent = await shop.staff(capacity=1, state=None)
    first = await open_talk(await shop.buyer())
    clock.advance(5)
    second = await open_talk(await shop.buyer())

    await agent.be("online")

    assert (await talk_now(agent, first))["agent_id"] == agent.id
    assert (await talk_now(agent, second))["state"] == "queued"


async def test_a_high_tier_waits_less_but_passes_nobody_who_waits_long(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    agent = await shop.staff(capacity=1, state=None)
    patient = await open_talk(await shop.buyer())
    clock.advance(100)
    small = await open_talk(await shop.buyer())
    rich = await open_talk(await shop.buyer(tier=3))

    order = []
    await agent.be("online")
    for _ in range(3):
        mine = ok(await agent.get("/v1/inbox"))["conversations"]
        order.append(mine[0]["id"])
        ok(await agent.post(f"/v1/conversations/{mine[0]['id']}/close"))

    assert order == [patient["id"], rich["id"], small["id"]]


async def test_an_agent_whom_no_gateway_carries_is_offline_after_thirty_seconds(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    lost = await shop.staff()
    asked = await open_talk(await shop.buyer())
    quiet = await open_talk(await shop.buyer())
    await buyer_says(platform, asked, "在吗")
    await report_staff(platform, lost)
    await let_pass(platform, clock, 29)
    assert (await talk_now(lost, asked))["state"] == "assigned"

    await let_pass(platform, clock, 3)

    assert await state_of(lost) == "offline"
    await until_queued(lost, asked)
    assert (await talk_now(lost, quiet))["agent_id"] == lost.id
    (gone,) = await eventually(lambda: _last_change(platform, lost, "heartbeat_lost"))
    assert gone.state is AgentState.OFFLINE
    queued = await eventually(lambda: events(platform, "chat", asked["id"], ConversationQueued))
    assert queued[-1].previous_agent_id == lost.id

    await buyer_says(platform, quiet, "还在吗")
    await until_queued(lost, quiet)

    await report_staff(platform, lost)
    await let_pass(platform, clock, 1)
    assert await state_of(lost) == "online"
    assert (await talk_now(lost, asked))["agent_id"] == lost.id
    assert (await talk_now(lost, quiet))["agent_id"] == lost.id


async def test_one_person_whose_state_cannot_be_set_keeps_nobody_else_online(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    first, second, third = [await shop.staff() for _ in range(3)]
    await report_staff(platform, first, second, third)
    async with platform.service.db.write_across("a test") as session:
        odd = text("update staff set role = 'clerk' where id = :id")
        await session.execute(odd, {"id": second.id})

    await let_pass(platform, clock, 32)

    assert await state_of(first) == await state_of(third) == "offline"


async def test_a_report_every_ten_seconds_keeps_an_agent_online(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    agent = await shop.staff()

    for _ in range(6):
        await report_staff(platform, agent)
        await let_pass(platform, clock, 10)

    assert await state_of(agent) == "online"


async def test_time_without_a_reachable_bus_counts_for_nobody(
    platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    await report_staff(platform, agent)
    await let_pass(platform, clock, 1)
    presence = platform.service.presence
    monkeypatch.setattr(type(presence.loop), "healthy", False)

    for _ in range(100):
        clock.advance(1.0)
        await presence.look()
    monkeypatch.undo()
    await let_pass(platform, clock, 5)

    assert await state_of(agent) == "online"


async def test_other_groups_help_after_a_while(platform: Platform, clock: ManualClock) -> None:
    shop = await platform.shop()
    helper = await shop.staff(skill_groups=["complaint"])
    talk = await open_talk(await shop.buyer(), topic="pre_sale")
    assert talk["state"] == "queued"

    clock.advance(21)
    await platform.service.sweeps.fill()

    assert (await talk_now(helper, talk))["agent_id"] == helper.id


async def test_a_silent_agent_loses_the_buyer_to_a_colleague(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    silent = await shop.staff()
    talk = await open_talk(await shop.buyer())
    await buyer_says(platform, talk, "有人吗")
    colleague = await shop.staff()
    sweeps = platform.service.sweeps

    clock.advance(100)
    await buyer_says(platform, talk, "还有人吗")
    clock.advance(79)
    await complete(platform, clock)
    await sweeps.relieve()
    assert (await talk_now(silent, talk))["agent_id"] == silent.id
    clock.advance(2)
    await complete(platform, clock)
    await sweeps.relieve()

    assert (await talk_now(silent, talk))["agent_id"] == colleague.id


async def test_work_is_routed_like_a_chat_and_settled_once(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff(capacity=1, skill_groups=["in_sale"])
    opened = new_work(platform, shop)

    await platform.publish(opened)
    await platform.publish(opened)

    assigned = await eventually(lambda: events(platform, "work", opened.work_id, WorkAssigned))
    assert [(one.agent_id, one.version) for one in assigned] == [(agent.id, 1)]
    work = ok(await agent.get("/v1/inbox"))["work"]
    assert [one["id"] for one in work] == [opened.work_id]
    talk = await open_talk(await shop.buyer(), topic="in_sale")
    assert talk["state"] == "queued"

    settled = WorkSettled(
        id=platform.service.ids.new(),
        time=platform.service.clock.now(),
        shop_id=ShopId(shop.id),
        work_id=opened.work_id,
        kind=opened.kind,
        order_id=opened.order_id,
        outcome="verified",
    )
    await platform.publish(settled)
    await platform.publish(settled)

    async def taken() -> bool:
        return bool((await talk_now(agent, talk))["agent_id"] == agent.id)

    await eventually(taken)
    assert ok(await agent.get("/v1/inbox"))["work"] == []
    assert len(await events(platform, "work", opened.work_id, WorkAssigned)) == 1


async def test_work_of_a_lost_agent_goes_to_another(platform: Platform, clock: ManualClock) -> None:
    shop = await platform.shop()
    first = await shop.staff()
    opened = new_work(platform, shop)
    await platform.publish(opened)
    await eventually(lambda: events(platform, "work", opened.work_id, WorkAssigned))
    second = await shop.staff()

    await first.be("offline")

    work = ok(await second.get("/v1/inbox"))["work"]
    assert [(one["id"], one["version"]) for one in work] == [(opened.work_id, 2)]


async def test_whoever_is_dismissed_loses_everything_at_once(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    talk = await open_talk(await shop.buyer())

    ok(await shop.boss.patch(f"/v1/staff/{agent.id}", {"active": False}))

    assert (await talk_now(shop.boss, talk))["state"] == "queued"
    (gone,) = await eventually(lambda: _last_change(platform, agent, "deactivated"))
    assert gone.state is AgentState.OFFLINE


async def _last_change(platform: Platform, agent: Person, reason: str) -> list[AgentStateChanged]:
    """Return the newest change of an agent's state in the log, nothing until it has this reason."""
    newest = (await events(platform, "staff", agent.id, AgentStateChanged))[-1:]
    return [one for one in newest if one.reason == reason]
