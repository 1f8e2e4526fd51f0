"""Work on the inbox: its holders see that they have it, that it is overdue, and that it is over."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.people import OrderId, PersonId, ShopId, WorkId
from contracts.work import Subject, WorkAssigned, WorkEscalated, WorkSettledV2
from tests.integration.gateway.desk import SHOP, Desk
from tests.integration.gateway.phone import Frame, Phone

pytestmark = pytest.mark.integration

AT = datetime(2026, 11, 11, tzinfo=UTC)
ORDER = Subject(kind="order", id="order-1")


async def test_the_holder_of_overdue_work_is_told_and_nobody_else(desk: Desk) -> None:
    work, (holder, other) = new_work(), await watching(desk, 2)
    await desk.publish(assigned(work, holder))
    await holder.hears("work.assigned.v1")

    await desk.publish(escalated(work))
    told = await holder.hears("work.escalated.v1")

    assert told["work_id"] == work
    assert (told["d"]["level"], told["d"]["kind"]) == (1, "verify_address")
    # What comes behind it in the same partition has arrived, and nothing before it.
    await desk.publish(assigned(work, other, version=2))
    await other.hears("work.assigned.v1")
    assert other.heard == ["work.assigned.v1"]


async def test_a_senior_beside_the_holder_is_told_what_the_holder_is_told(desk: Desk) -> None:
    work, (holder, senior) = new_work(), await watching(desk, 2)
    await desk.publish(assigned(work, holder))
    await holder.hears("work.assigned.v1")

    await desk.publish(assigned(work, holder, also=senior, version=2))
    for one in (holder, senior):
        told = await one.hears("work.assigned.v1", version=2)
        assert (told["d"]["agent_id"], told["d"]["also"]) == (holder.id, senior.id)

    await desk.publish(escalated(work), settled(work))
    for one in (holder, senior):
        await one.hears("work.escalated.v1")
        assert (await one.hears("work.settled.v2"))["d"]["outcome"] == "verified"


async def test_a_senior_who_is_beside_no_longer_is_told_so(desk: Desk) -> None:
    work, (holder, senior) = new_work(), await watching(desk, 2)

    await desk.publish(assigned(work, holder, also=senior), assigned(work, holder, version=2))

    assert (await senior.hears("work.assigned.v1", version=2))["d"]["also"] is None


async def test_what_crosses_the_end_of_its_work_is_nobodys(desk: Desk) -> None:
    work, (holder, late) = new_work(), await watching(desk, 2)
    await desk.publish(assigned(work, holder), settled(work))
    await holder.hears("work.settled.v2")

    await desk.publish(assigned(work, late, version=2), escalated(work))
    # What comes behind it in the same partition has arrived, and nothing before it.
    other = new_work()
    await desk.publish(assigned(other, late))

    assert (await late.hears("work.assigned.v1"))["work_id"] == other
    assert late.heard == ["work.assigned.v1"]


class Watcher:
    """Somebody who watches his inbox."""

    def __init__(self, person: str, phone: Phone) -> None:
        self.id = PersonId(person)
        self._phone = phone

    @property
    def heard(self) -> list[str]:
        """The types of all events so far."""
        return [str(frame["type"]) for frame in self._phone.frames if frame["t"] == "ev"]

    async def hears(self, event_type: str, **fields: Any) -> Frame:
        """Return the first event of a type."""
        return await self._phone.of("ev", s="inbox", type=event_type, **fields)


async def watching(desk: Desk, count: int) -> list[Watcher]:
    """Return people of their own: a gateway that starts reads the work of a day."""
    watchers = []
    for _ in range(count):
        person = str(uuid.uuid4())
        phone = await desk.phone(person)
        phone.say(t="sub", id="i", s="inbox")
        await phone.of("snap", s="inbox")
        watchers.append(Watcher(person, phone))
    return watchers


def new_work() -> WorkId:
    return WorkId(str(uuid.uuid4()))


def assigned(
    work: WorkId, agent: Watcher, *, also: Watcher | None = None, version: int = 1
) -> WorkAssigned:
    return WorkAssigned(
        id=str(uuid.uuid4()),
        time=AT,
        shop_id=ShopId(SHOP),
        work_id=work,
        agent_id=agent.id,
        also=None if also is None else also.id,
        kind="verify_address",
        order_id=OrderId(ORDER.id),
        due_at=AT,
        version=version,
    )


def escalated(work: WorkId) -> WorkEscalated:
    return WorkEscalated(
        id=str(uuid.uuid4()),
        time=AT,
        shop_id=ShopId(SHOP),
        work_id=work,
        kind="verify_address",
        order_id=OrderId(ORDER.id),
        level=1,
        due_at=AT,
        owner_version=2,
    )


def settled(work: WorkId) -> WorkSettledV2:
    return WorkSettledV2(
        id=str(uuid.uuid4()),
        time=AT,
        shop_id=ShopId(SHOP),
        work_id=work,
        owner="aftersales",
        kind="verify_address",
        subject=ORDER,
        outcome="verified",
        owner_version=3,
    )
