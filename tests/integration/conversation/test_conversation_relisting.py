"""Staff whose entry in the directory a release before made: told anew, once."""

import asyncio

import pytest
from sqlalchemy import text

from contracts.base import decode
from contracts.conversation import PersonListed
from services.conversation.staff.sweeps import StaffRelisting
from tests.integration.conversation.desk import Platform, ok
from tests.integration.conversation.directory import records_of
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_an_entry_of_the_release_before_is_told_anew_once(platform: Platform) -> None:
    shop = await platform.shop()
    agent, other = await shop.staff(state=None), await shop.staff(state=None)
    service = platform.service
    older = "update staff set listed_form = 1 where id = :id"
    async with service.db.write_across("a test") as session:
        await session.execute(text(older), {"id": agent.id})

    async def told_once() -> bool:
        told = [await _told(platform, one.id) for one in (agent, other)]
        return [len(entries) for entries in told] == [1, 1]

    await eventually(told_once, what="both, as they were hired")
    (before,), (kept,) = await _told(platform, agent.id), await _told(platform, other.id)

    relisting = StaffRelisting(service.db, service.clock, service.ids)
    counts = await asyncio.gather(*(relisting.older_entries() for _ in range(3)))

    async def told_again() -> bool:
        return len(await _told(platform, agent.id)) == 2

    await eventually(told_again, what="the entry, told anew")
    after = (await _told(platform, agent.id))[-1]
    assert sum(counts) == 1
    assert (after.version, after.capacity) == (before.version + 1, before.capacity)
    assert after.groups == before.groups is not None
    assert await _told(platform, other.id) == [kept]


async def test_a_change_of_capacity_is_told(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff(state=None)

    ok(await shop.boss.patch(f"/v1/staff/{agent.id}", {"capacity": 3}))

    async def told() -> bool:
        return [one.capacity for one in await _told(platform, agent.id)][-1:] == [3]

    await eventually(told, what="his new capacity")


async def _told(platform: Platform, subject: str) -> list[PersonListed]:
    """Return what the directory was told of somebody, oldest first."""
    told = [decode(one) for one in await records_of(platform, subject)]
    return [one for one in told if isinstance(one, PersonListed)]
