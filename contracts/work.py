"""Events about work items, by the two who speak of one: its owner, and the service that routes it.

The owner (`aftersales`) opens, escalates and settles an item, conversation says who has it.
"""

from enum import StrEnum
from typing import ClassVar

from typing_extensions import override

from contracts.base import Event, Moment
from contracts.people import OrderId, PersonId, SkillGroupId, WorkId
from contracts.topics import WORK, Topic


class WorkKind(StrEnum):
    """What an agent is asked to do."""

    VERIFY_ADDRESS = "verify_address"


class WorkOpened(Event):
    """Work for an agent exists; the conversation service routes it like a chat."""

    topic: ClassVar[Topic] = WORK
    type: ClassVar[str] = "work.opened.v1"
    source: ClassVar[str] = "aftersales"

    work_id: WorkId
    kind: WorkKind
    order_id: OrderId
    buyer_id: PersonId
    skill_group_id: SkillGroupId | None = None
    due_at: Moment

    @property
    @override
    def key(self) -> str:
        """One work item, one order."""
        return self.work_id


class WorkEscalated(Event):
    """Work is past its due time and nobody has settled it: somebody beside its holder must look.

    Comes once per level, with a pause between two; `due_at` is when it was due and does not move.
    """

    topic: ClassVar[Topic] = WORK
    type: ClassVar[str] = "work.escalated.v1"
    source: ClassVar[str] = "aftersales"

    work_id: WorkId
    kind: str
    order_id: OrderId | None = None
    level: int
    due_at: Moment
    owner_version: int
    """How often the item's owner has spoken of it; a reader that knows a later one ignores this."""

    @property
    @override
    def key(self) -> str:
        """One work item, one order."""
        return self.work_id


class WorkSettled(Event):
    """The work is done or no longer needed; the agent's slot is free again."""

    topic: ClassVar[Topic] = WORK
    type: ClassVar[str] = "work.settled.v1"
    source: ClassVar[str] = "aftersales"

    work_id: WorkId
    kind: WorkKind
    order_id: OrderId
    outcome: str

    @property
    @override
    def key(self) -> str:
        """One work item, one order."""
        return self.work_id


class WorkAssigned(Event):
    """A work item has an agent. `version` rises with each assignment of the item."""

    topic: ClassVar[Topic] = WORK
    type: ClassVar[str] = "work.assigned.v1"
    source: ClassVar[str] = "conversation"

    work_id: WorkId
    agent_id: PersonId
    previous_agent_id: PersonId | None = None
    kind: str
    order_id: OrderId | None = None
    due_at: Moment
    version: int

    @property
    @override
    def key(self) -> str:
        """One work item, one order."""
        return self.work_id
