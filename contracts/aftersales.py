"""Events the aftersales service produces about cases. Money is integer fen."""

from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias

from typing_extensions import override

from contracts.base import Event, Moment
from contracts.people import CaseId, OrderId, PersonId
from contracts.topics import CASES, Topic


class CaseState(StrEnum):
    """Where an after-sales case stands."""

    REQUESTED = "requested"
    REVIEWED = "reviewed"
    REFUNDED = "refunded"
    REJECTED = "rejected"
    CLOSED = "closed"


CaseKind: TypeAlias = Literal["refund"]
"""What a buyer asks for. A further one needs events of a new version, for readers refuse it."""


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
    """A refund was asked for; the reason is the buyer's own."""

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
