"""Work items: pieces of work that are routed like a conversation.

Pure; what the work is about is the business of the service that opened it.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.people import OrderId, PersonId, Role, ShopId, SkillGroupId, WorkId
from contracts.work import Subject, WorkAssigned
from kit.ids import derived_id
from services.conversation.domain import Stamp


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A piece of work that is routed like a conversation; `version` rises with each assignment.

    With a `role` only people of that role may have it, and it names no group. `level` is how often
    it escalated, `senior_id` who was added to its agent then: each of them holds it (B42).
    `owner_version` is the newest word of its owner that is known here.
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
    level: int = 0
    owner_version: int = 0
    senior_id: PersonId | None = None

    @property
    def is_opened(self) -> bool:
        """Whether it was opened here: of what came too early only its level or its end is known."""
        return self.waiting_since is not None or self.agent_id is not None

    @property
    def wants_senior(self) -> bool:
        """Whether its holder alone has it though it is overdue, and a senior may have it."""
        alone = self.agent_id is not None and self.senior_id is None
        for_seniors = self.role in {None, Role.SENIOR}
        return alone and for_seniors and self.level > 0 and not self.settled

    def suits(self, holder_id: PersonId, role: Role) -> bool:
        """Whether one of its holders may have it in this role: beside another a senior alone."""
        if self.senior_id == holder_id:
            return role is Role.SENIOR
        return self.role in {None, role}

    @property
    def subject(self) -> Subject:
        """What it is about, in its owner's words."""
        return Subject(kind=self.subject_kind, id=self.subject_id)


def assign_work(item: WorkItem, agent_id: PersonId, stamp: Stamp) -> tuple[WorkItem, WorkAssigned]:
    """Give a waiting work item to an agent. A senior who gets it himself is beside nobody."""
    senior_id = None if item.senior_id == agent_id else item.senior_id
    held = replace(item, agent_id=agent_id, senior_id=senior_id, waiting_since=None)
    return _told(held, stamp, previous_agent_id=item.previous_agent_id)


def add_senior(item: WorkItem, senior_id: PersonId, stamp: Stamp) -> tuple[WorkItem, WorkAssigned]:
    """Add a senior to the holder of an item, who keeps it."""
    return _told(replace(item, senior_id=senior_id), stamp)


def leave_work(
    item: WorkItem, gone: Collection[PersonId], stamp: Stamp
) -> tuple[WorkItem, WorkAssigned | None]:
    """Take a work item from those who hold it and are lost.

    Without its agent it waits again, and a senior beside him stays. Without its senior its agent
    has it alone, and is told so.
    """
    if item.settled:
        return item, None
    senior_left = item.senior_id in gone
    if senior_left:
        item = replace(item, senior_id=None)
    if item.agent_id in gone:
        return replace(
            item, agent_id=None, previous_agent_id=item.agent_id, waiting_since=stamp.at
        ), None
    return _told(item, stamp) if senior_left and item.agent_id is not None else (item, None)


def _told(
    item: WorkItem, stamp: Stamp, *, previous_agent_id: PersonId | None = None
) -> tuple[WorkItem, WorkAssigned]:
    """Return the item one version on, and who holds it now."""
    if item.agent_id is None:
        raise ValueError("nobody is added to work that nobody holds")
    told = replace(item, version=item.version + 1)
    event = WorkAssigned(
        id=derived_id(WorkAssigned.type, item.id, str(told.version)),
        time=stamp.at,
        shop_id=item.shop_id,
        work_id=item.id,
        agent_id=item.agent_id,
        also=item.senior_id,
        previous_agent_id=previous_agent_id,
        kind=item.kind,
        subject=item.subject,
        order_id=item.order_id,
        due_at=item.due_at,
        level=item.level,
        version=told.version,
    )
    return told, event
