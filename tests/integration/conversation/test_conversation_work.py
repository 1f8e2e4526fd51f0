"""Work of several owners, in either version of what they say: who gets it, and what is shown."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from contracts.people import OrderId, PersonId, ShopId, WorkId
from contracts.work import (
    Subject,
    WorkAssigned,
    WorkOpenedV2,
    WorkSettled,
    WorkSettledV2,
)
from kit.clock import ManualClock
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Person, Platform, Shop, started
from tests.integration.conversation.shift import new_work, seen, work_of
from tests.integration.conversation.talking import events
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


async def test_work_that_is_about_no_order_is_routed_and_shown(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff(skill_groups=["after_sale"])
    inquiry = opened(platform, shop, order_id=None, buyer_id=None, skill_group="after_sale")

    await platform.publish(inquiry)
    await platform.publish(inquiry)

    (told,) = await eventually(lambda: events(platform, "work", inquiry.work_id, WorkAssigned))
    assert (told.agent_id, told.order_id, told.subject) == (agent.id, None, inquiry.subject)
    (shown,) = await work_of(agent)
    assert shown["subject"] == {"kind": "parcel", "id": "parcel-1"}
    assert (shown["kind"], shown["order_id"], shown["buyer_id"]) == ("inquiry", None, None)


async def test_a_fact_in_version_two_settles_what_version_one_opened_and_the_reverse(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    first, second = new_work(platform, shop), opened(platform, shop)

    await platform.publish(first)
    await platform.publish(second)
    await eventually(lambda: holds(agent, first.work_id, second.work_id))

    await platform.publish(settled(platform, shop, first.work_id))
    await platform.publish(settled_v1(platform, shop, second.work_id))
    await eventually(lambda: holds(agent))


async def test_what_is_settled_before_it_is_opened_is_given_to_nobody(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    late, marker = opened(platform, shop), opened(platform, shop)

    await platform.publish(settled(platform, shop, late.work_id))
    await platform.publish(late)
    await platform.publish(marker)

    await eventually(lambda: events(platform, "work", marker.work_id, WorkAssigned))
    await eventually(lambda: seen(platform, late.id))
    assert await events(platform, "work", late.work_id, WorkAssigned) == []
    assert await holds(agent, marker.work_id)


async def test_work_of_a_role_waits_for_that_role(platform: Platform, clock: ManualClock) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    boss = await shop.staff("supervisor")
    payment = opened(platform, shop, kind="payment_match", role="supervisor")
    await platform.publish(payment)
    await eventually(lambda: seen(platform, payment.id))

    clock.advance(60)
    await platform.service.sweeps.fill()
    assert await work_of(agent) == []

    await boss.be("online")
    assert await holds(boss, payment.work_id)


def opened(platform: Platform, shop: Shop, **changed: Any) -> WorkOpenedV2:
    """Return work of another owner than today's, with kinds of its own."""
    now, ids = platform.service.clock.now(), platform.service.ids
    fields: dict[str, Any] = {
        "id": ids.new(),
        "time": now,
        "shop_id": ShopId(shop.id),
        "work_id": WorkId(ids.new()),
        "owner": "orders",
        "kind": "inquiry",
        "subject": Subject(kind="parcel", id="parcel-1"),
        "order_id": OrderId(ids.new()),
        "buyer_id": PersonId(ids.new()),
        "weight": 10,
        "due_at": now + timedelta(hours=1),
        "level": 0,
        "owner_version": 1,
    }
    return WorkOpenedV2(**fields | changed)


def settled(platform: Platform, shop: Shop, work_id: WorkId) -> WorkSettledV2:
    return WorkSettledV2(
        id=platform.service.ids.new(),
        time=platform.service.clock.now(),
        shop_id=ShopId(shop.id),
        work_id=work_id,
        owner="orders",
        kind="inquiry",
        subject=Subject(kind="parcel", id="parcel-1"),
        outcome="answered",
        owner_version=2,
    )


def settled_v1(platform: Platform, shop: Shop, work_id: WorkId) -> WorkSettled:
    kept = new_work(platform, shop)
    return WorkSettled(
        id=kept.id,
        time=kept.time,
        shop_id=kept.shop_id,
        work_id=work_id,
        kind=kept.kind,
        order_id=kept.order_id,
        outcome="verified",
    )


async def holds(person: Person, *work_ids: str) -> bool:
    """Tell whether this is all the work that he has."""
    return {one["id"] for one in await work_of(person)} == set(work_ids)
