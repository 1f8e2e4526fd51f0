"""Overdue work brings a senior beside its holder (B42): once, and nothing is taken from anybody."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts.people import ShopId, WorkId
from contracts.work import Subject, WorkAssigned, WorkEscalated, WorkOpened, WorkSettledV2
from kit.clock import ManualClock
from kit.errors import Unavailable
from services.conversation.routing.seniors import Seniors
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Person, Platform, Shop, ok, started
from tests.integration.conversation.shift import new_work, open_talk, seen, talk_now, work_of
from tests.integration.conversation.talking import events
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings) -> AsyncIterator[Platform]:
    """The service on a clock that only tests move."""
    async with started(settings, clock=ManualClock(datetime.now(UTC))) as running_platform:
        yield running_platform


async def test_a_senior_comes_beside_the_holder_who_keeps_his_work(platform: Platform) -> None:
    shop, agent, opened = await held(platform)
    senior = await a_senior(shop)

    await platform.publish(escalated(opened))

    told = await assigned(platform, opened, count=2)
    assert (told[1].agent_id, told[1].also) == (agent.id, senior.id)
    assert (told[1].level, told[1].version, told[1].subject) == (1, 2, told[0].subject)
    for one in (agent, senior):
        (shown,) = await work_of(one)
        assert (shown["id"], shown["level"], shown["version"]) == (opened.work_id, 1, 2)
        assert (shown["agent_id"], shown["also"]) == (agent.id, senior.id)
    assert await decided(platform, opened) == [
        ("least_loaded", agent.id),
        ("senior_beside", senior.id),
    ]


async def test_what_is_told_again_or_too_late_brings_nobody(platform: Platform) -> None:
    shop, _, opened = await held(platform)
    senior, _ = await a_senior(shop), await a_senior(shop)
    second, first = escalated(opened, level=2), escalated(opened, level=1)

    for told in (second, second, first, anew(platform, second), anew(platform, first)):
        await platform.publish(told)
    marker = await a_marker(platform, opened)

    assert len(await assigned(platform, opened, count=2)) == 2
    (shown,) = await work_of(senior)
    assert (shown["level"], shown["version"]) == (2, 2), "an older word lowers nothing"
    assert await seen(platform, marker)


async def test_where_no_senior_is_free_the_holder_keeps_it_and_one_comes_when_he_can(
    platform: Platform,
) -> None:
    shop, agent, opened = await held(platform)
    senior = await shop.staff("senior", capacity=1)

    await platform.publish(escalated(opened))
    await eventually(lambda: decided(platform, opened, count=2))
    assert (await decided(platform, opened))[1] == ("no_senior", None)
    assert [one["id"] for one in await work_of(agent)] == [opened.work_id]

    await senior.be("online")
    assert [one["also"] for one in await work_of(senior)] == [senior.id]
    assert (await assigned(platform, opened, count=2))[1].also == senior.id


async def test_a_senior_whose_place_gets_free_takes_overdue_work_before_a_buyer(
    platform: Platform,
) -> None:
    shop, agent, opened = await held(platform, capacity=1)
    senior = await a_senior(shop, capacity=1)
    first = await open_talk(await shop.buyer())
    waiting = await open_talk(await shop.buyer())
    assert (first["agent_id"], waiting["state"]) == (senior.id, "queued")
    await platform.publish(escalated(opened))
    await eventually(lambda: decided(platform, opened, count=2))

    ok(await senior.post(f"/v1/conversations/{first['id']}/close"))

    assert [one["id"] for one in await work_of(senior)] == [opened.work_id]
    assert (await talk_now(agent, waiting))["state"] == "queued"
    await platform.publish(settled(platform, opened))
    await eventually(lambda: has_owner(agent, waiting))


async def test_work_that_escalates_while_it_waits_has_two_when_it_has_a_holder(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    agent = await shop.staff(state=None)
    opened = new_work(platform, shop)
    await platform.publish(escalated(opened))
    await platform.publish(opened)
    await platform.publish(escalated(opened, level=2))
    await eventually(lambda: level_of(platform, opened, 2))
    senior = await a_senior(shop, skill_groups=["complaint"])

    await agent.be("online")
    await platform.service.sweeps.fill()

    told = await assigned(platform, opened, count=2)
    assert [(one.agent_id, one.also) for one in told] == [(agent.id, None), (agent.id, senior.id)]


async def test_what_is_settled_meanwhile_brings_nobody(platform: Platform) -> None:
    shop, agent, opened = await held(platform)
    await platform.publish(escalated(opened))
    await platform.publish(settled(platform, opened))
    await platform.publish(escalated(opened, level=2))
    marker = await a_marker(platform, opened)

    senior = await a_senior(shop)
    await platform.service.sweeps.fill()

    assert await seen(platform, marker)
    assert await work_of(agent) == await work_of(senior) == []
    assert len(await assigned(platform, opened, count=1)) == 1


async def test_the_end_frees_both_places(platform: Platform) -> None:
    shop, agent, opened = await held(platform, capacity=1)
    senior = await a_senior(shop, capacity=1)
    await platform.publish(escalated(opened))
    await assigned(platform, opened, count=2)
    talks = [await open_talk(await shop.buyer()) for _ in range(2)]
    assert {one["state"] for one in talks} == {"queued"}

    await platform.publish(settled(platform, opened))

    await eventually(lambda: has_owner(agent, talks[0]))
    await eventually(lambda: has_owner(agent, talks[1]))
    assert await work_of(agent) == await work_of(senior) == []


async def test_without_its_holder_it_goes_to_another_and_the_senior_stays(
    platform: Platform,
) -> None:
    shop, agent, opened = await held(platform)
    senior = await a_senior(shop)
    await platform.publish(escalated(opened))
    await assigned(platform, opened, count=2)
    other = await shop.staff(capacity=9)

    await agent.be("offline")

    told = await assigned(platform, opened, count=3)
    assert (told[2].agent_id, told[2].also) == (other.id, senior.id)
    assert (told[2].previous_agent_id, told[2].version) == (agent.id, 3)
    assert [one["agent_id"] for one in await work_of(senior)] == [other.id]


async def test_while_it_waits_for_a_holder_the_senior_still_has_it(platform: Platform) -> None:
    shop, agent, opened = await held(platform)
    senior = await a_senior(shop)
    await platform.publish(escalated(opened))
    await assigned(platform, opened, count=2)
    await senior.be("busy")

    await agent.be("offline")

    (shown,) = await work_of(senior)
    assert (shown["agent_id"], shown["also"]) == (None, senior.id)


async def test_without_its_senior_the_holder_is_told_and_another_senior_comes(
    platform: Platform,
) -> None:
    shop, agent, opened = await held(platform)
    first = await a_senior(shop)
    await platform.publish(escalated(opened))
    await assigned(platform, opened, count=2)
    second = await a_senior(shop)

    await first.be("offline")

    told = await assigned(platform, opened, count=4)
    assert [one.also for one in told] == [None, first.id, None, second.id]
    assert {one.agent_id for one in told} == {agent.id}
    assert [one.version for one in told] == [1, 2, 3, 4]
    assert await work_of(first) == []


async def test_who_is_no_senior_any_more_is_beside_nobody(platform: Platform) -> None:
    shop, agent, opened = await held(platform)
    first = await a_senior(shop)
    await platform.publish(escalated(opened))
    await assigned(platform, opened, count=2)
    second = await a_senior(shop)

    ok(await shop.boss.patch(f"/v1/staff/{first.id}", {"role": "agent"}))

    told = await assigned(platform, opened, count=4)
    assert [one.also for one in told] == [None, first.id, None, second.id]
    assert {one.agent_id for one in told} == {agent.id}


@pytest.mark.parametrize("step", ["before", "after"])
async def test_a_kill_in_the_middle_leaves_nothing_and_the_next_try_does_it_once(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    shop, agent, opened = await held(platform)
    senior = await a_senior(shop)
    bring = Seniors.bring
    tried: list[str] = []

    async def dies(self: Seniors, *args: Any, **kwargs: Any) -> int:
        tried.append(step)
        if step == "after":
            await bring(self, *args, **kwargs)
        raise Unavailable("killed")

    monkeypatch.setattr(Seniors, "bring", dies)
    await platform.publish(escalated(opened))
    await eventually(lambda: len(tried) > 1)
    assert len(await assigned(platform, opened, count=1)) == 1
    assert await level_of(platform, opened, 0), "nothing of it is there"
    monkeypatch.undo()

    told = await assigned(platform, opened, count=2)
    await platform.publish(escalated(opened))
    marker = await a_marker(platform, opened)

    assert [(one.also, one.version) for one in told] == [(None, 1), (senior.id, 2)]
    assert await seen(platform, marker)
    assert len(await assigned(platform, opened, count=2)) == 2
    assert len(await work_of(agent)) == len(await work_of(senior)) == 1


async def test_after_a_kill_between_two_transactions_any_process_brings_him(
    platform: Platform, settings: SeedSettings
) -> None:
    """The first kept the level and found no senior; in the second one came, and nothing more."""
    shop, agent, opened = await held(platform)
    await platform.publish(escalated(opened))
    await eventually(lambda: decided(platform, opened, count=2))
    senior = await shop.staff("senior")
    async with platform.service.db.write(shop.id) as session:
        online = text("update staff set state = 'online' where id = :id")
        await session.execute(online, {"id": senior.id})

    async with started(settings, clock=platform.service.clock) as other:
        await other.service.sweeps.fill()

    told = await assigned(platform, opened, count=2)
    assert (told[1].agent_id, told[1].also) == (agent.id, senior.id)


async def held(platform: Platform, **wish: Any) -> tuple[Shop, Person, WorkOpened]:
    """Return a shop whose only agent has a piece of work."""
    shop = await platform.shop()
    agent = await shop.staff(**wish)
    opened = new_work(platform, shop)
    await platform.publish(opened)
    await assigned(platform, opened, count=1)
    return shop, agent, opened


async def a_senior(shop: Shop, **wish: Any) -> Person:
    """Return a senior who is online."""
    senior = await shop.staff("senior", **wish)
    await senior.be("online")
    return senior


def escalated(opened: WorkOpened, *, level: int = 1) -> WorkEscalated:
    """Return what its owner says when it is overdue: the same each time it is asked."""
    return WorkEscalated(
        id=f"escalated-{opened.work_id}-{level}",
        time=opened.due_at,
        shop_id=opened.shop_id,
        work_id=opened.work_id,
        kind=opened.kind,
        order_id=opened.order_id,
        level=level,
        due_at=opened.due_at,
        owner_version=1 + level,
    )


def anew(platform: Platform, event: WorkEscalated) -> WorkEscalated:
    """Return the same under another id, past the inbox."""
    return event.model_copy(update={"id": platform.service.ids.new()})


def settled(platform: Platform, opened: WorkOpened) -> WorkSettledV2:
    return WorkSettledV2(
        id=platform.service.ids.new(),
        time=platform.service.clock.now(),
        shop_id=ShopId(opened.shop_id),
        work_id=WorkId(opened.work_id),
        owner="aftersales",
        kind=opened.kind,
        subject=Subject(kind="order", id=opened.order_id),
        order_id=opened.order_id,
        outcome="verified",
        owner_version=9,
    )


async def a_marker(platform: Platform, opened: WorkOpened) -> str:
    """Put something behind all that was told of the work, wait until it was read; return its id."""
    marker = escalated(opened, level=0)
    marker = marker.model_copy(update={"id": platform.service.ids.new(), "owner_version": 0})
    await platform.publish(marker)
    await eventually(lambda: seen(platform, marker.id))
    return marker.id


async def assigned(platform: Platform, opened: WorkOpened, *, count: int) -> list[WorkAssigned]:
    """Return all assignments of the work once there are so many."""

    async def told() -> list[Any]:
        found = await events(platform, "work", opened.work_id, WorkAssigned)
        return found if len(found) >= count else []

    return await eventually(told, what=f"{count} assignments")


async def has_owner(reader: Person, talk: dict[str, Any]) -> bool:
    return bool((await talk_now(reader, talk))["state"] == "assigned")


async def decided(
    platform: Platform, opened: WorkOpened, *, count: int = 0
) -> list[tuple[str, str | None]]:
    """Return the reasons for its holders, oldest first, once there are so many."""
    query = text(
        "select reason, agent_id::text from decisions where subject_id = :id order by at, id"
    )
    async with platform.service.db.read_across("a test") as session:
        rows = (await session.execute(query, {"id": opened.work_id})).all()
    return [(row.reason, row.agent_id) for row in rows] if len(rows) >= count else []


async def level_of(platform: Platform, opened: WorkOpened, level: int) -> bool:
    query = text("select level from work_items where id = :id")
    async with platform.service.db.read_across("a test") as session:
        found: int | None = (await session.execute(query, {"id": opened.work_id})).scalar()
    return found == level
