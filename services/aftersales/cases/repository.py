"""The store of payments and cases. Knows SQL, decides nothing.

Locks are taken in one order, payment before case, so that no two use cases wait for each other.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.aftersales import CaseState
from contracts.people import CaseId, OrderId, PersonId, ShopId
from kit.admission import Owner
from services.aftersales.cases.domain import Case, Payment
from services.aftersales.cases.models import CaseRow, PaymentRow


async def owner_of_order(session: AsyncSession, order_id: OrderId) -> Owner | None:
    """Return whose paid order this is, whichever shop's."""
    query = select(PaymentRow.shop_id, PaymentRow.buyer_id).where(PaymentRow.order_id == order_id)
    found = (await session.execute(query)).one_or_none()
    return found and Owner(found.shop_id, found.buyer_id)


async def owner_of_case(session: AsyncSession, case_id: CaseId) -> Owner | None:
    """Return whose case this is, whichever shop's."""
    query = select(CaseRow.shop_id, CaseRow.buyer_id).where(CaseRow.id == case_id)
    found = (await session.execute(query)).one_or_none()
    return found and Owner(found.shop_id, found.buyer_id)


async def note_payment(session: AsyncSession, row: PaymentRow) -> bool:
    """Insert a payment; False if it is known."""
    values = {
        name: getattr(row, name)
        for name in (
            "order_id", "shop_id", "buyer_id", "external_id", "paid_fen", "currency", "paid_at"
        )
    }  # fmt: skip
    statement = insert(PaymentRow).values(values).on_conflict_do_nothing()
    inserted = await session.execute(statement.returning(PaymentRow.order_id))
    return inserted.one_or_none() is not None


async def lock_payment(session: AsyncSession, order_id: OrderId) -> PaymentRow | None:
    """Return what was paid for an order, locked until the transaction ends."""
    return await session.get(PaymentRow, order_id, with_for_update=True, populate_existing=True)


async def find_case(session: AsyncSession, case_id: CaseId) -> CaseRow | None:
    """Return a case without locking it."""
    return await session.get(CaseRow, case_id)


async def lock_case(session: AsyncSession, case_id: CaseId) -> tuple[PaymentRow, CaseRow] | None:
    """Return a case and its order's payment, both locked until the transaction ends."""
    query = select(CaseRow.order_id).where(CaseRow.id == case_id)
    order_id = (await session.execute(query)).scalar_one_or_none()
    if order_id is None:
        return None
    payment = await session.get_one(PaymentRow, order_id, with_for_update=True)
    case = await session.get_one(CaseRow, case_id, with_for_update=True)
    return payment, case


def payment_facts(row: PaymentRow) -> Payment:
    """Return what the rules decide on."""
    return Payment(
        order_id=OrderId(row.order_id),
        shop_id=ShopId(row.shop_id),
        buyer_id=PersonId(row.buyer_id),
        paid_fen=row.paid_fen,
        reserved_fen=row.reserved_fen,
        refunded_fen=row.refunded_fen,
    )


def case_facts(row: CaseRow) -> Case:
    """Return what the rules decide on."""
    return Case(
        id=CaseId(row.id),
        shop_id=ShopId(row.shop_id),
        order_id=OrderId(row.order_id),
        buyer_id=PersonId(row.buyer_id),
        kind=row.kind,
        state=CaseState(row.state),
        version=row.version,
        amount_fen=row.amount_fen,
        buyer_reason=row.buyer_reason,
        agreed_reason=row.agreed_reason,
    )


def save_payment(row: PaymentRow, payment: Payment) -> None:
    """Write the payment's facts to its row; the table's check has the last word."""
    row.reserved_fen = payment.reserved_fen
    row.refunded_fen = payment.refunded_fen


def save_case(row: CaseRow, case: Case, *, due_at: datetime | None, at: datetime) -> None:
    """Write the case's facts to its row."""
    row.state = case.state.value
    row.version = case.version
    row.agreed_reason = case.agreed_reason
    row.due_at = due_at
    row.updated_at = at


def append(session: AsyncSession, row: CaseRow) -> None:
    """Add a new row."""
    session.add(row)


async def cases(
    session: AsyncSession,
    *,
    shop_id: ShopId,
    limit: int,
    buyer_id: PersonId | None = None,
    state: CaseState | None = None,
    order_id: str | None = None,
    below: str | None = None,
) -> Sequence[CaseRow]:
    """Return cases of one shop, newest first, at most `limit` and below the id `below`."""
    query = select(CaseRow).where(CaseRow.shop_id == shop_id)
    if buyer_id is not None:
        query = query.where(CaseRow.buyer_id == buyer_id)
    if state is not None:
        query = query.where(CaseRow.state == state.value)
    if order_id is not None:
        query = query.where(CaseRow.order_id == order_id)
    if below is not None:
        query = query.where(CaseRow.id < below)
    return (await session.scalars(query.order_by(CaseRow.id.desc()).limit(limit))).all()


async def lock_cases(session: AsyncSession, case_ids: Sequence[CaseId]) -> Sequence[CaseRow]:
    """Return cases, locked until the transaction ends. Enough for what moves no money."""
    query = select(CaseRow).where(CaseRow.id.in_(case_ids)).order_by(CaseRow.id)
    return (await session.scalars(query.with_for_update())).all()
