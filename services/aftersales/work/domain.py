"""What may happen to a work item: facts in, events out.

Pure: no session, no clock, no bus. How long people have stands in `playbook`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from contracts.people import OrderId, PersonId, ShopId, WorkId
from contracts.work import WorkEscalated, WorkKind, WorkOpened, WorkSettled
from kit.ids import derived_id


class WorkState(StrEnum):
    """Whether a work item still needs somebody."""

    OPEN = "open"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class WorkItem:
    """Work for an agent. The id is derived, so that one attempt cannot be opened twice."""

    id: WorkId
    shop_id: ShopId
    order_id: OrderId
    buyer_id: PersonId
    kind: WorkKind
    attempt: int
    level: int = 0
    """How often it escalated."""


def work_item(
    order_id: OrderId, kind: WorkKind, attempt: int, *, shop_id: ShopId, buyer_id: PersonId
) -> WorkItem:
    """Return the item for this attempt; the same one however often it is asked for."""
    return WorkItem(
        id=WorkId(derived_id("work", kind.value, order_id, str(attempt))),
        shop_id=shop_id,
        order_id=order_id,
        buyer_id=buyer_id,
        kind=kind,
        attempt=attempt,
    )


def next_attempt(item: WorkItem) -> WorkItem:
    """Return the item for the attempt after this one."""
    return work_item(
        item.order_id,
        item.kind,
        item.attempt + 1,
        shop_id=item.shop_id,
        buyer_id=item.buyer_id,
    )


def open_work(item: WorkItem, *, at: datetime, due_at: datetime) -> WorkOpened:
    """Announce work; the conversation service finds an agent for it."""
    return WorkOpened(
        id=derived_id(WorkOpened.type, item.id),
        time=at,
        shop_id=item.shop_id,
        work_id=item.id,
        kind=item.kind,
        order_id=item.order_id,
        buyer_id=item.buyer_id,
        due_at=due_at,
    )


def escalate(item: WorkItem, *, at: datetime, due_at: datetime) -> tuple[WorkItem, WorkEscalated]:
    """Raise an open item that is past its due time by a level, and say so."""
    raised = replace(item, level=item.level + 1)
    event = WorkEscalated(
        id=derived_id(WorkEscalated.type, item.id, str(raised.level)),
        time=at,
        shop_id=item.shop_id,
        work_id=item.id,
        kind=item.kind,
        order_id=item.order_id,
        level=raised.level,
        due_at=due_at,
        owner_version=1 + raised.level,
    )
    return raised, event


def settle_work(item: WorkItem, outcome: str, *, at: datetime) -> WorkSettled:
    """Announce that the work is done or no longer needed; the agent's slot is free again."""
    return WorkSettled(
        id=derived_id(WorkSettled.type, item.id),
        time=at,
        shop_id=item.shop_id,
        work_id=item.id,
        kind=item.kind,
        order_id=item.order_id,
        outcome=outcome,
    )
