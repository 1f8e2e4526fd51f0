"""What people do with cases and read of them, what was paid, and warnings of deadlines.

Each command: one transaction, payment and case locked, rules decide. A repeat with the same
Idempotency-Key answers the first answer and moves no money.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.aftersales import CaseState
from contracts.orders import OrderPaid
from contracts.people import CaseId, OrderId, PersonId, Role, ShopId
from kit import inbox, outbox, timers
from kit.admission import Admission
from kit.audit import Audit
from kit.errors import Forbidden, NotFound
from kit.idempotency import CommandKey
from kit.ids import Ids
from kit.keyed import Command
from kit.postgres import Database
from kit.timers import Timer
from kit.web import paging
from kit.web.auth import Principal
from kit.web.paging import Cursors, Page
from kit.web.preconditions import ensure_version
from services.aftersales.cases import domain, repository
from services.aftersales.cases.models import CaseRow, PaymentRow
from services.aftersales.cases.playbook import CasePlaybook
from services.aftersales.cases.schemas import CaseFilter, CaseView, NewCase, Review

PAYMENTS: Final = "aftersales.payments"

WARNING: Final = "case_warning"
"""The timer of a case that somebody has to move on; it falls due before the case does."""

BY_ID: Final[paging.Order[CaseRow, str]] = paging.by_id("below")


class CaseReading:
    """Reads in one snapshot each."""

    def __init__(self, database: Database, admission: Admission, cursors: Cursors) -> None:
        self._db = database
        self._admission = admission
        self._cursors = cursors

    async def page(self, principal: Principal, query: CaseFilter) -> Page[CaseView]:
        """Return a page of cases, newest first: a buyer's own, or the shop's."""
        buyer = principal.role == Role.BUYER
        name = f"cases of {principal.subject}" if buyer else "cases"
        shop_id = ShopId(principal.shop_id)
        page = paging.page(self._cursors, query, by=BY_ID, shop_id=shop_id, list_name=name)
        async with self._db.read(shop_id) as session:
            rows = await repository.cases(
                session,
                shop_id=shop_id,
                buyer_id=PersonId(principal.subject) if buyer else query.buyer_id,
                state=query.state,
                order_id=query.order_id,
                below=page.after,
                limit=page.limit,
            )
        return page.show(rows, lambda row: view(row, principal))

    async def read(self, principal: Principal, case_id: CaseId) -> CaseView:
        """Return a case. Raises `NotFound`."""
        await self._admission.admit(principal, case_id, repository.owner_of_case)
        async with self._db.read(principal.shop_id) as session:
            row = await repository.find_case(session, case_id)
        if row is None:
            raise NotFound
        return view(row, principal)


@dataclass(frozen=True, slots=True)
class _Open:
    """A command with its payment and case locked."""

    command: Command
    principal: Principal
    payment: PaymentRow
    case: CaseRow
    at: datetime

    @property
    def session(self) -> AsyncSession:
        """The command's session."""
        return self.command.session


class CaseCommands:
    """Commands of people. `version` is the one that the caller read (If-Match).

    Above `limit_fen` only a supervisor decides on a refund.
    """

    def __init__(
        self,
        database: Database,
        admission: Admission,
        audit: Audit,
        *,
        ids: Ids,
        playbook: CasePlaybook,
        limit_fen: int,
    ) -> None:
        self._db = database
        self._admission = admission
        self._audit = audit
        self._ids = ids
        self._playbook = playbook
        self._limit_fen = limit_fen

    async def request(
        self, principal: Principal, new_case: NewCase, *, key: CommandKey
    ) -> CaseView:
        """Open a refund case and reserve its amount. Raises `AbovePaid`, `NotFound`."""
        if principal.role == Role.BUYER and new_case.agreed_reason is not None:
            raise Forbidden("The agreed reason is for staff to record; give your own.")
        order_id = OrderId(new_case.order_id)
        await self._admission.admit(principal, order_id, repository.owner_of_order)
        async with self._db.keyed(key) as command:
            session = command.session
            payment = await repository.lock_payment(session, order_id)
            if payment is None:
                raise NotFound
            at = await timers.now(session)
            row = self._row(principal, new_case, payment, at=at)
            requested = domain.request(
                repository.case_facts(row),
                repository.payment_facts(payment),
                at=at,
                due_at=self._playbook.due(CaseState.REQUESTED, at),
            )
            repository.append(session, row)
            await self._audit.note(session, principal, "case_requested", row.id)
            opened = _Open(command, principal, payment, row, at)
            return await self._settle(opened, requested)

    async def review(
        self,
        principal: Principal,
        case_id: CaseId,
        review: Review,
        *,
        version: int,
        key: CommandKey,
    ) -> CaseView:
        """Approve or reject a requested case. Raises `IllegalTransition`, `AboveLimit`."""
        async with self._opened(principal, case_id, key) as opened:
            ensure_version(version, opened.case.version)
            domain.refuse_above_limit(opened.case.amount_fen, Role(principal.role), self._limit_fen)
            opened.case.reviewed_by = principal.subject
            opened.case.review_note = review.note
            reviewed = domain.review(
                repository.case_facts(opened.case),
                repository.payment_facts(opened.payment),
                review.decision,
                agreed_reason=review.agreed_reason,
                by=PersonId(principal.subject),
                at=opened.at,
                due_at=self._playbook.due(CaseState.REVIEWED, opened.at),
            )
            action = f"case_review_{review.decision.value}"
            await self._audit.note(opened.session, principal, action, case_id, note=review.note)
            return await self._settle(opened, reviewed)

    async def refund(
        self, principal: Principal, case_id: CaseId, *, version: int, key: CommandKey
    ) -> CaseView:
        """Give the money of an approved case back, once. Raises `IllegalTransition`."""
        async with self._opened(principal, case_id, key) as opened:
            ensure_version(version, opened.case.version)
            domain.refuse_above_limit(opened.case.amount_fen, Role(principal.role), self._limit_fen)
            opened.case.refunded_by = principal.subject
            refunded = domain.refund(
                repository.case_facts(opened.case),
                repository.payment_facts(opened.payment),
                by=PersonId(principal.subject),
                at=opened.at,
            )
            await self._audit.note(opened.session, principal, "case_refunded", case_id)
            return await self._settle(opened, refunded)

    @asynccontextmanager
    async def _opened(
        self, principal: Principal, case_id: CaseId, key: CommandKey
    ) -> AsyncIterator[_Open]:
        await self._admission.admit(principal, case_id, repository.owner_of_case)
        async with self._db.keyed(key) as command:
            session = command.session
            locked = await repository.lock_case(session, case_id)
            if locked is None:
                raise NotFound
            payment, case = locked
            yield _Open(command, principal, payment, case, await timers.now(session))

    async def _settle(self, opened: _Open, outcome: domain.Outcome) -> CaseView:
        case, due_at = outcome.case, outcome.due_at
        repository.save_payment(opened.payment, outcome.payment)
        repository.save_case(opened.case, case, due_at=due_at, at=opened.at)
        await opened.session.flush()
        if due_at is None:
            await timers.cancel(opened.session, WARNING, [case.id])
        else:
            warn_at = self._playbook.warn_at(opened.at, due_at)
            await timers.start(opened.session, Timer(WARNING, case.id, case.shop_id, warn_at))
        await outbox.add(opened.session, *outcome.events)
        return await opened.command.keep(view(opened.case, opened.principal))

    def _row(
        self, principal: Principal, new_case: NewCase, payment: PaymentRow, *, at: datetime
    ) -> CaseRow:
        return CaseRow(
            id=self._ids.new(),
            shop_id=payment.shop_id,
            order_id=payment.order_id,
            buyer_id=payment.buyer_id,
            kind=new_case.kind,
            state=CaseState.REQUESTED.value,
            version=1,
            amount_fen=new_case.amount_fen,
            currency=payment.currency,
            buyer_reason=new_case.buyer_reason,
            agreed_reason=new_case.agreed_reason,
            review_note="",
            opened_by=principal.subject,
            opened_at=at,
            updated_at=at,
        )


class PaymentFacts:
    """Takes what orders tell of payments; a repeat is stopped by an inbox row."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def note_payment(self, event: OrderPaid) -> None:
        """Note what was paid: the ceiling of every refund of this order."""
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, PAYMENTS, event.id):
                return
            payment = PaymentRow(
                order_id=event.order_id,
                shop_id=event.shop_id,
                buyer_id=event.buyer_id,
                external_id=event.external_id,
                paid_fen=event.paid_fen,
                currency=event.currency,
                paid_at=event.paid_at,
            )
            await repository.note_payment(session, payment)


class Warnings:
    """Raises `case.deadline_near`, for each deadline once."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def raise_due(self, shop_id: ShopId, case_ids: Sequence[CaseId]) -> int:
        """Warn of those cases whose warning is due and was not raised; return how many."""
        async with self._db.write(shop_id) as session:
            rows = await repository.lock_cases(session, case_ids)
            due = await timers.take(session, WARNING, case_ids)
            at = await timers.now(session)
            events = []
            for row in rows:
                if row.id in due and row.due_at is not None:
                    facts = repository.case_facts(row)
                    case, event = domain.warn(facts, due_at=row.due_at, at=at)
                    repository.save_case(row, case, due_at=row.due_at, at=at)
                    events.append(event)
            await outbox.add(session, *events)
        return len(events)


def view(row: CaseRow, principal: Principal) -> CaseView:
    """Return what the caller sees of a case; the review's note is for staff alone."""
    return CaseView.model_validate(
        {
            **{name: getattr(row, name, None) for name in CaseView.model_fields},
            "review_note": None if principal.role == Role.BUYER else row.review_note,
        }
    )
