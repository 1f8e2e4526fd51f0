"""Work items: pieces of work that are routed like a conversation.

Pure; what the work is about is the business of the service that opened it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from contracts.people import OrderId, PersonId, ShopId, SkillGroupId, WorkId
from contracts.work import Subject, WorkAssigned
from services.conversation.domain import Stamp


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A piece of work that is routed like a conversation; `version` rises with each assignment.

    With a `role` only people of that role may have it, and it names no group.
    """

    id: WorkId
    shop_id: ShopId
    kind: str
    subject_kind: str
    subject_id: str
    order_id: OrderId | None
    buyer_id: PersonId | None
    role: str | None
    skill_group_id: SkillGroupId | None
    due_at: datetime
    waiting_since: datetime | None
    agent_id: PersonId | None = None
    previous_agent_id: PersonId | None = None
    version: int = 0
    settled: bool = False

    @property
    def subject(self) -> Subject:
        """What it is about, in its owner's words."""
        return Subject(kind=self.subject_kind, id=self.subject_id)


def assign_work(item: WorkItem, agent_id: PersonId, stamp: Stamp) -> tuple[WorkItem, WorkAssigned]:
    """Give a waiting work item to an agent."""
    assigned = replace(item, agent_id=agent_id, version=item.version + 1, waiting_since=None)
    event = WorkAssigned(
        id=stamp.ids.new(),
        time=stamp.at,
        shop_id=item.shop_id,
        work_id=item.id,
        agent_id=agent_id,
        previous_agent_id=item.previous_agent_id,
        kind=item.kind,
        subject=item.subject,
        order_id=item.order_id,
        due_at=item.due_at,
        version=assigned.version,
    )
    return assigned, event


def requeue_work(item: WorkItem, stamp: Stamp) -> WorkItem:
    """Take a work item from an agent who is lost."""
    if item.settled or item.agent_id is None:
        return item
    return replace(item, agent_id=None, previous_agent_id=item.agent_id, waiting_since=stamp.at)
