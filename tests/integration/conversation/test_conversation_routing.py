"""Who gets whom, on a clock that the test moves: loss, return, overflow, silence, work items."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts.aftersales import WorkKind, WorkOpened, WorkSettled
from contracts.conversation import AgentStateChanged, ConversationQueued, WorkAssigned
from contracts.people import AgentState, OrderId, PersonId, SenderKind, ShopId, WorkId
from kit.clock import ManualClock
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Person, Platform, Shop, ok, started
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
    async with started(settings, clock=clock) as running_platform:
        yield running_platform


async def _opened(buyer: Person, **wish: object) -> dict[str, Any]:
    return ok(await buyer.post("/v1/conversations", wish), 201)


async def _now(reader: Person, talk: Mapping[str, Any]) -> dict[str, Any]:
    return ok(await reader.get(f"/v1/conversations/{talk['id']}"))


async def _pass(platform: Platform, clock: ManualClock, seconds: int) -> None:
    """Let observed time pass, a look each second."""
    presence = platform.service.presence
    await eventually(lambda: presence.loop.caught_up.is_set() and presence.loop.lag() == 0)
    for _ in range(seconds):
        clock.advance(1.0)
        await presence.look()


async def _say(platform: Platform, reader: Person, talk: Mapping[str, Any], words: str) -> None:
    """Let the buyer say something and wait until it is archived."""
    event, _ = await platform.say(talk, words, kind=SenderKind.BUYER)

    async def there() -> bool:
        return (await platform.internal(f"/internal/messages/{event.id}")).status_code == 200

    await eventually(there)


async def test_the_least_loaded_agent_is_chosen(platform: Platform) -> None:
    shop = await platform.shop()
    agents = [await shop.staff(capacity=3) for _ in range(3)]

    owners = [(await _opened(await shop.buyer()))["agent_id"] for _ in range(9)]

    assert {owners.count(agent.id) for agent in agents} == {3}
    assert (await _opened(await shop.buyer()))["state"] == "queued"


async def test_a_suspended_agent_keeps_his_buyers_and_gets_no_new_one(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    mine = await _opened(await shop.buyer())
    await agent.be("suspended")

    new = await _opened(await shop.buyer())

    assert new["state"] == "queued"
    assert (await _now(agent, mine))["agent_id"] == agent.id


async def test_whoever_comes_online_gets_the_one_who_waits_longest(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    agent = await shop.staff(capacity=1, state=None)
    first = await _opened(await shop.buyer())
    clock.advance(5)
    second = await _opened(await shop.buyer())

    await agent.be("online")

    assert (await _now(agent, first))["agent_id"] == agent.id
    assert (await _now(agent, second))["state"] == "queued"


async def test_a_high_tier_waits_less_but_passes_nobody_who_waits_long(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    agent = await shop.staff(capacity=1, state=None)
    patient = await _opened(await shop.buyer())
    clock.advance(100)
    small = await _opened(await shop.buyer())
    rich = await _opened(await shop.buyer(tier=3))

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
    asked = await _opened(await shop.buyer())
    quiet = await _opened(await shop.buyer())
    await _say(platform, lost, asked, "在吗")
    await _report(platform, lost)
    await _pass(platform, clock, 29)
    assert (await _now(lost, asked))["state"] == "assigned"

    await _pass(platform, clock, 3)

    assert await _agent_state(lost) == "offline"
    assert (await _now(lost, asked))["state"] == "queued"
    assert (await _now(lost, quiet))["agent_id"] == lost.id
    states = await eventually(lambda: events(platform, "staff", lost.id, AgentStateChanged))
    assert states[-1].reason == "heartbeat_lost"
    queued = await eventually(lambda: events(platform, "chat", asked["id"], ConversationQueued))
    assert queued[-1].previous_agent_id == lost.id

    await _say(platform, lost, quiet, "还在吗")

    async def waits() -> bool:
        return bool((await _now(lost, quiet))["state"] == "queued")

    await eventually(waits)

    await _report(platform, lost)
    await _pass(platform, clock, 1)
    assert await _agent_state(lost) == "online"
    assert (await _now(lost, asked))["agent_id"] == lost.id
    assert (await _now(lost, quiet))["agent_id"] == lost.id


async def test_one_person_whose_state_cannot_be_set_keeps_nobody_else_online(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    first, second, third = [await shop.staff() for _ in range(3)]
    await _report(platform, first, second, third)
    async with platform.service.db.write_across("a test") as session:
        odd = text("update staff set role = 'clerk' where id = :id")
        await session.execute(odd, {"id": second.id})

    await _pass(platform, clock, 32)

    assert await _agent_state(first) == await _agent_state(third) == "offline"


async def test_a_report_every_ten_seconds_keeps_an_agent_online(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    agent = await shop.staff()

    for _ in range(6):
        await _report(platform, agent)
        await _pass(platform, clock, 10)

    assert await _agent_state(agent) == "online"


async def test_time_without_a_reachable_bus_counts_for_nobody(
    platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    await _report(platform, agent)
    await _pass(platform, clock, 1)
    presence = platform.service.presence
    monkeypatch.setattr(type(presence.loop), "healthy", False)

    for _ in range(100):
        clock.advance(1.0)
        await presence.look()
    monkeypatch.undo()
    await _pass(platform, clock, 5)

    assert await _agent_state(agent) == "online"


async def test_other_groups_help_after_a_while(platform: Platform, clock: ManualClock) -> None:
    shop = await platform.shop()
    helper = await shop.staff(skill_groups=["complaint"])
    talk = await _opened(await shop.buyer(), topic="pre_sale")
    assert talk["state"] == "queued"

    clock.advance(21)
    await platform.service.sweeps.fill()

    assert (await _now(helper, talk))["agent_id"] == helper.id


async def test_a_silent_agent_loses_the_buyer_to_a_colleague(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    silent = await shop.staff()
    talk = await _opened(await shop.buyer())
    await _say(platform, silent, talk, "有人吗")
    colleague = await shop.staff()
    sweeps = platform.service.sweeps

    clock.advance(170)
    await complete(platform, clock)
    await sweeps.relieve()
    assert (await _now(silent, talk))["agent_id"] == silent.id
    clock.advance(11)
    await complete(platform, clock)
    await sweeps.relieve()

    assert (await _now(silent, talk))["agent_id"] == colleague.id


async def test_work_is_routed_like_a_chat_and_settled_once(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff(capacity=1, skill_groups=["in_sale"])
    opened = _work(platform, shop)

    await platform.publish(opened)
    await platform.publish(opened)

    assigned = await eventually(lambda: events(platform, "work", opened.work_id, WorkAssigned))
    assert [(one.agent_id, one.version) for one in assigned] == [(agent.id, 1)]
    work = ok(await agent.get("/v1/inbox"))["work"]
    assert [one["id"] for one in work] == [opened.work_id]
    talk = await _opened(await shop.buyer(), topic="in_sale")
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
        return bool((await _now(agent, talk))["agent_id"] == agent.id)

    await eventually(taken)
    assert ok(await agent.get("/v1/inbox"))["work"] == []
    assert len(await events(platform, "work", opened.work_id, WorkAssigned)) == 1


async def test_work_of_a_lost_agent_goes_to_another(platform: Platform, clock: ManualClock) -> None:
    shop = await platform.shop()
    first = await shop.staff()
    opened = _work(platform, shop)
    await platform.publish(opened)
    await eventually(lambda: events(platform, "work", opened.work_id, WorkAssigned))
    second = await shop.staff()

    await first.be("offline")

    work = ok(await second.get("/v1/inbox"))["work"]
    assert [(one["id"], one["version"]) for one in work] == [(opened.work_id, 2)]


async def test_whoever_is_dismissed_loses_everything_at_once(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    talk = await _opened(await shop.buyer())

    ok(await shop.boss.patch(f"/v1/staff/{agent.id}", {"active": False}))

    assert (await _now(shop.boss, talk))["state"] == "queued"
    states = await eventually(lambda: events(platform, "staff", agent.id, AgentStateChanged))
    assert (states[-1].state, states[-1].reason) == (AgentState.OFFLINE, "deactivated")


async def _agent_state(agent: Person) -> str:
    agents = ok(await agent.get("/v1/agents"))["items"]
    return str(next(one["state"] for one in agents if one["id"] == agent.id))


async def _report(platform: Platform, *people: Person) -> None:
    """Report people as a gateway would, and wait until the service has read it."""
    read = _reports_read(platform)
    await platform.report(*people)
    await eventually(lambda: _reports_read(platform) > read)


def _reports_read(platform: Platform) -> float:
    labels = {"group": "conversation.presence", "topic": "presence", "outcome": "done"}
    registry = platform.service.metrics.registry
    return registry.get_sample_value("peakdesk_consumed_records_total", labels) or 0.0


def _work(platform: Platform, shop: Shop) -> WorkOpened:
    now = platform.service.clock.now()
    return WorkOpened(
        id=platform.service.ids.new(),
        time=now,
        shop_id=ShopId(shop.id),
        work_id=WorkId(platform.service.ids.new()),
        kind=WorkKind.VERIFY_ADDRESS,
        order_id=OrderId(platform.service.ids.new()),
        buyer_id=PersonId(platform.service.ids.new()),
        due_at=now + timedelta(hours=1),
    )
