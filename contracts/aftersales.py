"""Events the aftersales service produces: cases and work items. Money is integer fen."""

from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias

from typing_extensions import override

from contracts.base import Event, Moment
from contracts.people import CaseId, OrderId, PersonId, SkillGroupId, WorkId
from contracts.topics import CASES, WORK, Topic


class CaseState(StrEnum):
    """Where an after-sales case stands."""

    REQUESTED = "requested"
    REVIEWED = "reviewed"
    REFUNDED = "refunded"
    REJECTED = "rejected"
    CLOSED = "closed"


CaseKind: TypeAlias = Literal["refund"]
"""What a buyer asks for. A further one needs events of a new version, for readers refuse it."""


class WorkKind(StrEnum):
    """What an agent is asked to do."""

    VERIFY_ADDRESS = "verify_address"


class CaseEvent(Event):
    """What every case event carries. `version` is the case's row version after the change."""

    topic: ClassVar[Topic] = CASES
    source: ClassVar[str] = "aftersales"

    case_id: CaseId
    order_id: OrderId
    buyer_id: PersonId
    version: int

    @property
    @override
    def key(self) -> str:
        """One case, one order of events."""
        return self.case_id


class CaseRequested(CaseEvent):
    """A refund was asked for; the reason is the buyer's own (capability A14)."""

    type: ClassVar[str] = "case.requested.v1"

    kind: CaseKind
    amount_fen: int
    currency: str = "CNY"
    buyer_reason: str
    due_at: Moment


class CaseReviewed(CaseEvent):
    """Staff decided on the case."""

    type: ClassVar[str] = "case.reviewed.v1"

    decision: Literal["approve", "reject"]
    agreed_reason: str | None
    by: PersonId
    due_at: Moment | None


class CaseRefunded(CaseEvent):
    """The money went back, once."""

    type: ClassVar[str] = "case.refunded.v1"

    amount_fen: int
    currency: str = "CNY"
    by: PersonId


class CaseDeadlineNear(CaseEvent):
    """A case will pass its deadline soon and nobody has acted."""

    type: ClassVar[str] = "case.deadline_near.v1"

    state: CaseState
    due_at: Moment


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
