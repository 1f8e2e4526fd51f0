"""What people do with cases. Each command: one transaction, payment and case locked, rules decide.

A repeat with the same Idempotency-Key answers the first answer and moves no money.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from contracts.aftersales import CaseState
from contracts.people import CaseId, OrderId, PersonId, Role
from kit import outbox
from kit.errors import Forbidden, NotFound
from kit.ids import Ids
from kit.postgres import Database
from kit.web.auth import Principal
from kit.web.idempotency import Keyed, Slot, idempotent
from kit.web.preconditions import ensure_version, etag
from services.aftersales import domain, repository
from services.aftersales.models import CaseRow, PaymentRow
from services.aftersales.playbook import Playbook
from services.aftersales.schemas import NewCase, Review
from services.aftersales.service.access import Access
from services.aftersales.service.reading import view


@dataclass(frozen=True, slots=True)
class _Open:
    """A transaction with the payment and the case locked; `slot` takes or has the answer."""

    session: AsyncSession
    slot: Slot
    who: Principal
    payment: PaymentRow
    case: CaseRow
    at: datetime


class Commands:
    """Commands of people. `version` is the one that the caller read (If-Match).

    Above `limit_fen` only a supervisor decides on a refund.
    """

    def __init__(
        self, database: Database, access: Access, ids: Ids, *, playbook: Playbook, limit_fen: int
    ) -> None:
        self._db = database
        self._access = access
        self._ids = ids
        self._playbook = playbook
        self._limit_fen = limit_fen

    async def request(self, who: Principal, wanted: NewCase, *, keyed: Keyed) -> Response:
        """Open a refund case and reserve its amount. Raises `AbovePaid`, `NotFound`."""
        if who.role == Role.BUYER and wanted.agreed_reason is not None:
            raise Forbidden("The agreed reason is for staff to record; give your own.")
        order_id = OrderId(wanted.order_id)
        await self._access.admit_to_order(who, order_id)
        async with self._db.write() as session, idempotent(session, who, keyed) as slot:
            if slot.replay:
                return slot.replay
            payment = await repository.lock_payment(session, order_id)
            if payment is None:
                raise NotFound
            at = await repository.now(session)
            row = self._row(who, wanted, payment, at)
            requested = domain.request(
                repository.case_facts(row),
                repository.payment_facts(payment),
                at=at,
                due_at=self._playbook.due(CaseState.REQUESTED, at),
            )
            repository.append(session, row)
            self._access.audit(session, who, "case_requested", row.id)
            opened = _Open(session, slot, who, payment, row, at)
            return await self._settle(opened, requested, status=201)

    async def review(
        self, who: Principal, case_id: CaseId, review: Review, *, version: int, keyed: Keyed
    ) -> Response:
        """Approve or reject a requested case. Raises `IllegalTransition`, `AboveLimit`."""
        async with self._opened(who, case_id, keyed) as opened:
            if opened.slot.replay:
                return opened.slot.replay
            ensure_version(version, opened.case.version)
            domain.refuse_above_limit(opened.case.amount_fen, Role(who.role), self._limit_fen)
            opened.case.reviewed_by = who.subject
            opened.case.review_note = review.note
            reviewed = domain.review(
                repository.case_facts(opened.case),
                repository.payment_facts(opened.payment),
                review.decision,
                agreed_reason=review.agreed_reason,
                by=PersonId(who.subject),
                at=opened.at,
                due_at=self._playbook.due(CaseState.REVIEWED, opened.at),
            )
            action = f"case_review_{review.decision.value}"
            self._access.audit(opened.session, who, action, case_id, note=review.note)
            return await self._settle(opened, reviewed)

    async def refund(
        self, who: Principal, case_id: CaseId, *, version: int, keyed: Keyed
    ) -> Response:
        """Give the money of an approved case back, once. Raises `IllegalTransition`."""
        async with self._opened(who, case_id, keyed) as opened:
            if opened.slot.replay:
                return opened.slot.replay
            ensure_version(version, opened.case.version)
            domain.refuse_above_limit(opened.case.amount_fen, Role(who.role), self._limit_fen)
            opened.case.refunded_by = who.subject
            refunded = domain.refund(
                repository.case_facts(opened.case),
                repository.payment_facts(opened.payment),
                by=PersonId(who.subject),
                at=opened.at,
            )
            self._access.audit(opened.session, who, "case_refunded", case_id)
            return await self._settle(opened, refunded)

    @asynccontextmanager
    async def _opened(self, who: Principal, case_id: CaseId, keyed: Keyed) -> AsyncIterator[_Open]:
        await self._access.admit_to_case(who, case_id)
        async with self._db.write() as session, idempotent(session, who, keyed) as slot:
            locked = await repository.lock_case(session, case_id)
            if locked is None:
                raise NotFound
            payment, case = locked
            yield _Open(session, slot, who, payment, case, await repository.now(session))

    async def _settle(
        self, opened: _Open, outcome: domain.Outcome, *, status: int = 200
    ) -> Response:
        due_at = outcome.due_at
        repository.save_payment(opened.payment, outcome.payment)
        repository.save_case(opened.case, outcome.case, at=opened.at)
        await opened.session.flush()
        await repository.set_deadline(
            opened.session,
            outcome.case,
            due_at=due_at,
            warn_at=due_at and self._playbook.warn_at(opened.at, due_at),
        )
        await outbox.add(opened.session, *outcome.events)
        shown = view(opened.case, due_at, opened.who)
        headers = {"ETag": etag(shown.version)}
        return await opened.slot.keep(shown, status=status, headers=headers)

    def _row(self, who: Principal, wanted: NewCase, payment: PaymentRow, at: datetime) -> CaseRow:
        return CaseRow(
            id=self._ids.new(),
            shop_id=payment.shop_id,
            order_id=payment.order_id,
            buyer_id=payment.buyer_id,
            kind=wanted.kind,
            state=CaseState.REQUESTED.value,
            version=1,
            amount_fen=wanted.amount_fen,
            currency=payment.currency,
            buyer_reason=wanted.buyer_reason,
            agreed_reason=wanted.agreed_reason,
            review_note="",
            opened_by=who.subject,
            opened_at=at,
            updated_at=at,
        )
