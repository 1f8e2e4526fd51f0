"""Events about work items, by the two who speak of one: its owner, and the service that routes it.

The owner opens, escalates and settles an item and counts `owner_version`; conversation says who has
it and counts `version`. Version 2 of what an owner says names him, and says in plain words what
may grow: readers take both versions, and writers write the second one from the next release on.
"""

from enum import StrEnum
from typing import ClassVar, Final

from typing_extensions import override

from contracts.base import Event, Moment, Part
from contracts.people import OrderId, PersonId, SkillGroupId, WorkId
from contracts.topics import WORK, Topic

ORDER: Final = "order"
"""The kind of subject that all work of version 1 is about."""


class WorkKind(StrEnum):
    """What an agent is asked to do, as version 1 can say it."""

    VERIFY_ADDRESS = "verify_address"


class Subject(Part):
    """What a work item is about; `kind` is a word of whoever opened it."""

    kind: str
    id: str


class WorkEvent(Event):
    """What every event about a work item carries."""

    topic: ClassVar[Topic] = WORK

    work_id: WorkId

    @property
    @override
    def key(self) -> str:
        """One work item, one order."""
        return self.work_id


class OwnersWord(WorkEvent):
    """What the owner of an item says of it. Several services own work, so the event names its."""

    owner: str

    @property
    @override
    def told_by(self) -> str:
        """The owner."""
        return self.owner


class WorkOpenedV2(OwnersWord):
    """Work for an agent exists; the conversation service routes it like a chat.

    `skill_group` is the code or the id of a group of the shop; who names none asks for the usual
    one. With `role` only people of that role get it, however long it waits. `weight` is what it
    takes of an agent's room, 0 to 10 where a chat takes 10. It begins at `level` 0.
    """

    type: ClassVar[str] = "work.opened.v2"

    kind: str
    subject: Subject
    order_id: OrderId | None = None
    buyer_id: PersonId | None = None
    skill_group: str | None = None
    role: str | None = None
    weight: int
    due_at: Moment
    level: int
    owner_version: int


class WorkOpened(WorkEvent):
    """Work for an agent exists; the conversation service routes it like a chat."""

    type: ClassVar[str] = "work.opened.v1"
    source: ClassVar[str] = "aftersales"

    kind: WorkKind
    order_id: OrderId
    buyer_id: PersonId
    skill_group_id: SkillGroupId | None = None
    due_at: Moment

    def upgraded(self) -> WorkOpenedV2:
        """Return the same fact, under the same id, as version 2 says it."""
        return WorkOpenedV2(
            id=self.id,
            time=self.time,
            shop_id=self.shop_id,
            work_id=self.work_id,
            owner=self.source,
            kind=self.kind.value,
            subject=Subject(kind=ORDER, id=self.order_id),
            order_id=self.order_id,
            buyer_id=self.buyer_id,
            skill_group=self.skill_group_id,
            weight=10,
            due_at=self.due_at,
            level=0,
            owner_version=1,
        )


class WorkEscalated(OwnersWord):
    """Work is past its due time and nobody has settled it: somebody beside its holder must look.

    Comes once per level, with a pause between two; `due_at` is when it was due and does not move.
    """

    type: ClassVar[str] = "work.escalated.v1"

    owner: str = "aftersales"
    kind: str
    subject: Subject | None = None
    order_id: OrderId | None = None
    level: int
    due_at: Moment
    owner_version: int
    """How often the item's owner has spoken of it; a reader that knows a later one ignores this."""


class WorkSettled(WorkEvent):
    """The work is done or no longer needed; the agent's slot is free again."""

    type: ClassVar[str] = "work.settled.v1"
    source: ClassVar[str] = "aftersales"

    kind: WorkKind
    order_id: OrderId
    outcome: str


class WorkSettledV2(OwnersWord):
    """The work is done or no longer needed; the agent's slot is free again.

    `by` is whoever settled it, none where it was no longer needed.
    """

    type: ClassVar[str] = "work.settled.v2"

    kind: str
    subject: Subject
    order_id: OrderId | None = None
    outcome: str
    by: PersonId | None = None
    owner_version: int


class WorkAssigned(WorkEvent):
    """A work item has an agent. `version` rises with each assignment of the item.

    `also` is a senior who works on it beside the agent: each of them holds it.
    """

    type: ClassVar[str] = "work.assigned.v1"
    source: ClassVar[str] = "conversation"

    agent_id: PersonId
    also: PersonId | None = None
    previous_agent_id: PersonId | None = None
    kind: str
    subject: Subject | None = None
    order_id: OrderId | None = None
    due_at: Moment
    level: int = 0
    """How often it escalated."""
    version: int
