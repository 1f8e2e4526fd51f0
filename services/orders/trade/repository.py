"""The store of orders: rows in, facts out, and back. Knows SQL, decides nothing.

`lock` comes first in every change: events of one order get their order from that row lock.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.orders import OrderState
from contracts.people import OrderId, PersonId, ShopId
from kit.admission import Owner
from services.orders.trade.domain import Lock, LockKind, Order
from services.orders.trade.models import AddressCheckRow, LockRow, OrderRow, RemarkRow


async def owner(session: AsyncSession, order_id: OrderId) -> Owner | None:
    """Return whose order this is, whichever shop's."""
    query = select(OrderRow.shop_id, OrderRow.buyer_id).where(OrderRow.id == order_id)
    found = (await session.execute(query)).one_or_none()
    return found and Owner(found.shop_id, found.buyer_id)


async def place(session: AsyncSession, row: OrderRow) -> bool:
    """Insert an order; False if the shop has told of its external id before."""
    values = {
        column.key: value
        for column in OrderRow.__table__.columns
        if (value := getattr(row, column.key)) is not None
    }
    statement = insert(OrderRow).values(values).on_conflict_do_nothing().returning(OrderRow.id)
    return (await session.execute(statement)).one_or_none() is not None


async def find(session: AsyncSession, order_id: OrderId) -> OrderRow | None:
    """Return an order without locking it."""
    return await session.get(OrderRow, order_id)


async def lock(session: AsyncSession, order_id: OrderId) -> OrderRow | None:
    """Return an order, locked until the transaction ends."""
    return await session.get(OrderRow, order_id, with_for_update=True, populate_existing=True)


async def lock_external(
    session: AsyncSession, shop_id: ShopId, external_id: str
) -> OrderRow | None:
    """Return the shop's order of that external id, locked until the transaction ends."""
    query = select(OrderRow).where(OrderRow.shop_id == shop_id, OrderRow.external_id == external_id)
    return (await session.execute(query.with_for_update())).scalar_one_or_none()


async def facts(session: AsyncSession, row: OrderRow) -> Order:
    """Return what the rules decide on."""
    return Order(
        id=OrderId(row.id),
        shop_id=ShopId(row.shop_id),
        buyer_id=PersonId(row.buyer_id),
        state=OrderState(row.state),
        version=row.version,
        paid_fen=row.paid_fen,
        refunded_fen=row.refunded_fen,
        address_attempts=row.address_attempts,
        ask_again_at=row.ask_again_at,
        locks=frozenset(
            Lock(LockKind(found.kind), found.ref)
            for found in await locks(session, OrderId(row.id))
            if found.cleared_at is None
        ),
    )


async def save(session: AsyncSession, row: OrderRow, order: Order, *, at: datetime) -> None:
    """Write the order's facts to its row, and the interlocks that were set or cleared."""
    before = {(found.kind, found.ref): found for found in await locks(session, OrderId(row.id))}
    after = {(lock.kind.value, lock.ref) for lock in order.locks}
    for name in after - before.keys():
        kind, ref = name
        session.add(LockRow(order_id=row.id, kind=kind, ref=ref, source_version=0, set_at=at))
    for name, found in before.items():
        if name in after and found.cleared_at is not None:
            found.set_at, found.cleared_at = at, None
        elif name not in after and found.cleared_at is None:
            found.cleared_at = at
    row.state = order.state.value
    row.version = order.version
    row.paid_fen = order.paid_fen
    row.refunded_fen = order.refunded_fen
    row.address_attempts = order.address_attempts
    row.ask_again_at = order.ask_again_at
    row.updated_at = at


async def take_fact(
    session: AsyncSession, order_id: OrderId, of: Lock, *, version: int, at: datetime
) -> bool:
    """Note the version heard of this lock's cause; False if it is old news (H7).

    A lock first heard of here stands cleared until `save` sets it.
    """
    statement = (
        insert(LockRow)
        .values(
            order_id=order_id,
            kind=of.kind.value,
            ref=of.ref,
            source_version=version,
            set_at=at,
            cleared_at=at,
        )
        .on_conflict_do_update(
            index_elements=[LockRow.order_id, LockRow.kind, LockRow.ref],
            set_={"source_version": version},
            where=LockRow.source_version < version,
        )
        .returning(LockRow.ref)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def locks(session: AsyncSession, order_id: OrderId) -> Sequence[LockRow]:
    """Return every interlock of an order, set or cleared, oldest first."""
    query = select(LockRow).where(LockRow.order_id == order_id).order_by(LockRow.set_at)
    return (await session.scalars(query)).all()


async def set_locks(session: AsyncSession, order_ids: Sequence[str]) -> dict[str, list[LockKind]]:
    """Return the kinds of interlocks that are set, by order."""
    query = (
        select(LockRow.order_id, LockRow.kind)
        .where(LockRow.order_id.in_(order_ids), LockRow.cleared_at.is_(None))
        .distinct()
        .order_by(LockRow.kind)
    )
    found: dict[str, list[LockKind]] = {}
    for order_id, kind in await session.execute(query):
        found.setdefault(order_id, []).append(LockKind(kind))
    return found


async def page(
    session: AsyncSession,
    *,
    shop_id: ShopId,
    limit: int,
    buyer_id: PersonId | None = None,
    state: OrderState | None = None,
    external_id: str | None = None,
    below: str | None = None,
) -> Sequence[OrderRow]:
    """Return orders of one shop, newest first, at most `limit` and below the id `below`."""
    query = select(OrderRow).where(OrderRow.shop_id == shop_id)
    if buyer_id is not None:
        query = query.where(OrderRow.buyer_id == buyer_id)
    if state is not None:
        query = query.where(OrderRow.state == state.value)
    if external_id is not None:
        query = query.where(OrderRow.external_id == external_id)
    if below is not None:
        query = query.where(OrderRow.id < below)
    if external_id is None:  # else it is one row at most, and an order would only mislead
        query = query.order_by(OrderRow.id.desc())
    return (await session.scalars(query.limit(limit))).all()


async def some(session: AsyncSession, shop_id: ShopId, ids: Sequence[str]) -> Sequence[OrderRow]:
    """Return those of a shop's orders, in no order."""
    query = select(OrderRow).where(OrderRow.shop_id == shop_id, OrderRow.id.in_(ids))
    return (await session.scalars(query)).all()


async def called(
    session: AsyncSession, shop_id: ShopId, phone: str, *, limit: int
) -> Sequence[OrderRow]:
    """Return the orders of a shop that go to this phone, which is whole; the newest first."""
    query = select(OrderRow).where(OrderRow.shop_id == shop_id, OrderRow.recipient_phone == phone)
    return (await session.scalars(query.order_by(OrderRow.id.desc()).limit(limit))).all()


async def remarks(session: AsyncSession, order_id: OrderId) -> Sequence[RemarkRow]:
    """Return the remarks of an order, oldest first."""
    query = select(RemarkRow).where(RemarkRow.order_id == order_id).order_by(RemarkRow.id)
    return (await session.scalars(query)).all()


def note(session: AsyncSession, row: RemarkRow | AddressCheckRow) -> None:
    """Append a row that is never changed."""
    session.add(row)
