"""What may happen to a refund case and its money: facts in, facts and events out.

Pure: no session, no clock, no bus. How long each step may take stands in `playbook`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypedDict

from contracts.aftersales import (
    CaseDeadlineNear,
    CaseEvent,
    CaseKind,
    CaseRefunded,
    CaseRequested,
    CaseReviewed,
    CaseState,
)
from contracts.base import Event
from contracts.people import CaseId, OrderId, PersonId, Role, ShopId
from kit.errors import Conflict, Forbidden
from kit.ids import derived_id

OPEN: Final = frozenset({CaseState.REQUESTED, CaseState.REVIEWED})
"""States in which somebody owes the buyer an answer."""


class Decision(StrEnum):
    """What the review of a case comes to."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Payment:
    """What was paid for an order: reserved by open cases, refunded by settled ones. In fen."""

    order_id: OrderId
    shop_id: ShopId
    buyer_id: PersonId
    paid_fen: int
    reserved_fen: int = 0
    refunded_fen: int = 0

    @property
    def left_fen(self) -> int:
        """What a new case may still ask for."""
        return self.paid_fen - self.reserved_fen - self.refunded_fen


@dataclass(frozen=True, slots=True)
class Case:
    """The facts that rules decide on. `version` rises by one with every event."""

    id: CaseId
    shop_id: ShopId
    order_id: OrderId
    buyer_id: PersonId
    kind: CaseKind
    state: CaseState
    version: int
    amount_fen: int
    buyer_reason: str
    agreed_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The case and its payment after a rule, what to tell the world, and the next deadline.

    `due_at` None: nobody owes anything on this case any more.
    """

    case: Case
    payment: Payment
    events: tuple[Event, ...]
    due_at: datetime | None


class AbovePaid(Conflict):
    """The refund asks for more than is left of the payment; `left_fen` says how much is."""

    slug, title = "refund_above_paid", "More than was paid cannot go back"


class IllegalTransition(Conflict):
    """The case's state forbids the command."""

    slug, title = "illegal_transition", "The case's state forbids this"


class AboveLimit(Forbidden):
    """The amount needs a supervisor."""

    slug, title = "above_limit", "The amount needs a supervisor"


class Envelope(TypedDict):
    """The fields that every case event shares."""

    id: str
    time: datetime
    shop_id: ShopId
    case_id: CaseId
    order_id: OrderId
    buyer_id: PersonId
    version: int


def request(case: Case, payment: Payment, *, at: datetime, due_at: datetime) -> Outcome:
    """Open `case`, at version 1, and reserve its amount: open cases never sum above paid."""
    if case.amount_fen > payment.left_fen:
        raise AbovePaid(f"At most {payment.left_fen} fen are left.", left_fen=payment.left_fen)
    reserved = replace(payment, reserved_fen=payment.reserved_fen + case.amount_fen)
    event = CaseRequested(
        **envelope(case, CaseRequested, at),
        kind=case.kind,
        amount_fen=case.amount_fen,
        buyer_reason=case.buyer_reason,
        due_at=due_at,
    )
    return Outcome(case, reserved, (event,), due_at)


def review(
    case: Case,
    payment: Payment,
    decision: Decision,
    *,
    agreed_reason: str | None,
    by: PersonId,
    at: datetime,
    due_at: datetime,
) -> Outcome:
    """Approve or reject a requested case; a rejection frees the reserved money.

    `agreed_reason` stands beside the buyer's own and never replaces it.
    """
    if case.state is not CaseState.REQUESTED:
        raise IllegalTransition("Only a requested case can be reviewed.", state=case.state)
    approved = decision is Decision.APPROVE
    reviewed = replace(
        case,
        state=CaseState.REVIEWED if approved else CaseState.REJECTED,
        version=case.version + 1,
        agreed_reason=agreed_reason or case.agreed_reason,
    )
    if not approved:
        payment = replace(payment, reserved_fen=payment.reserved_fen - case.amount_fen)
    event = CaseReviewed(
        **envelope(reviewed, CaseReviewed, at),
        decision=decision.value,
        agreed_reason=reviewed.agreed_reason,
        by=by,
        due_at=due_at if approved else None,
    )
    return Outcome(reviewed, payment, (event,), due_at if approved else None)


def refund(case: Case, payment: Payment, *, by: PersonId, at: datetime) -> Outcome:
    """Give the money of an approved case back, once."""
    if case.state is not CaseState.REVIEWED:
        raise IllegalTransition("Only an approved case can be refunded.", state=case.state)
    refunded = replace(case, state=CaseState.REFUNDED, version=case.version + 1)
    settled = replace(
        payment,
        reserved_fen=payment.reserved_fen - case.amount_fen,
        refunded_fen=payment.refunded_fen + case.amount_fen,
    )
    event = CaseRefunded(**envelope(refunded, CaseRefunded, at), amount_fen=case.amount_fen, by=by)
    return Outcome(refunded, settled, (event,), None)


def warn(case: Case, *, due_at: datetime, at: datetime) -> tuple[Case, CaseDeadlineNear]:
    """Say that the case will pass its deadline; the version rises, as with every event."""
    warned = replace(case, version=case.version + 1)
    event = CaseDeadlineNear(
        **envelope(warned, CaseDeadlineNear, at), state=case.state, due_at=due_at
    )
    return warned, event


def refuse_above_limit(amount_fen: int, role: Role, limit_fen: int) -> None:
    """Raise `AboveLimit` for an amount that only a supervisor may decide on (capability O10)."""
    if amount_fen > limit_fen and role is not Role.SUPERVISOR:
        raise AboveLimit(f"Up to {limit_fen} fen without a supervisor.", limit_fen=limit_fen)


def envelope(case: Case, kind: type[CaseEvent], at: datetime) -> Envelope:
    """Return the shared fields of an event that `case`, already changed, has caused.

    The id is derived: a case has one event per version, however often it is told.
    """
    return Envelope(
        id=derived_id(kind.type, case.id, str(case.version)),
        time=at,
        shop_id=case.shop_id,
        case_id=case.id,
        order_id=case.order_id,
        buyer_id=case.buyer_id,
        version=case.version,
    )
