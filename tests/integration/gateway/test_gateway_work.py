"""Work on the inbox: its holder sees that it is given to him, and that it is overdue."""

from datetime import UTC, datetime

import pytest

from contracts.people import OrderId, PersonId, ShopId, WorkId
from contracts.work import WorkAssigned, WorkEscalated
from tests.integration.gateway.desk import SHOP, Desk

pytestmark = pytest.mark.integration

AT = datetime(2026, 11, 11, tzinfo=UTC)
WORK = WorkId("work-1")


async def test_the_holder_of_overdue_work_is_told_and_nobody_else(desk: Desk) -> None:
    holder, other = await desk.phone("holder"), await desk.phone("beside")
    for phone in (holder, other):
        phone.say(t="sub", id="i", s="inbox")
        await phone.of("snap", s="inbox")
    await desk.publish(assigned("holder"))
    await holder.of("ev", s="inbox", type="work.assigned.v1")

    await desk.publish(escalated())
    told = await holder.of("ev", s="inbox", type="work.escalated.v1")

    assert told["work_id"] == WORK
    assert (told["d"]["level"], told["d"]["kind"]) == (1, "verify_address")
    # What comes behind it in the same partition has arrived, and nothing before it.
    await desk.publish(assigned("beside", version=2))
    await other.of("ev", s="inbox", type="work.assigned.v1")
    assert "work.escalated.v1" not in {frame.get("type") for frame in other.frames}


def assigned(agent: str, *, version: int = 1) -> WorkAssigned:
    return WorkAssigned(
        id=f"assigned-{version}",
        time=AT,
        shop_id=ShopId(SHOP),
        work_id=WORK,
        agent_id=PersonId(agent),
        kind="verify_address",
        order_id=OrderId("order-1"),
        due_at=AT,
        version=version,
    )


def escalated() -> WorkEscalated:
    return WorkEscalated(
        id="escalated-1",
        time=AT,
        shop_id=ShopId(SHOP),
        work_id=WORK,
        kind="verify_address",
        order_id=OrderId("order-1"),
        level=1,
        due_at=AT,
        owner_version=2,
    )
