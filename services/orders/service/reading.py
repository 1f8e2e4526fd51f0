"""What people read of orders. Writes nothing but the audit of an address that was shown whole."""

from collections.abc import Sequence
from typing import Final

from contracts.orders import AddressResult, Line, OrderState
from contracts.people import OrderId, PersonId, Role, ShopId
from kit.errors import NotFound
from kit.postgres import Database
from kit.web import paging
from kit.web.auth import Principal
from kit.web.paging import Cursors, Page
from services.orders import repository
from services.orders.domain import LockKind
from services.orders.models import OrderRow
from services.orders.schemas import (
    AddressView,
    BuyerView,
    Interlock,
    InterlockList,
    OrderFilter,
    OrderView,
    Remark,
    RemarkList,
)
from services.orders.service.access import Access

BY_ID: Final[paging.Order[OrderRow, str]] = paging.by_id("below")


class Reading:
    """Reads in one snapshot each."""

    def __init__(self, database: Database, access: Access, cursors: Cursors) -> None:
        self._db = database
        self._access = access
        self._cursors = cursors

    async def page(self, principal: Principal, wanted: OrderFilter) -> Page[OrderView]:
        """Return a page of orders, newest first: a buyer's own, or the shop's, masked."""
        buyer = principal.role == Role.BUYER
        name = f"orders of {principal.subject}" if buyer else "orders"
        shop_id = ShopId(principal.shop_id)
        query = paging.page(self._cursors, wanted, by=BY_ID, shop_id=shop_id, list_name=name)
        async with self._db.read(shop_id) as session:
            rows = await repository.page(
                session,
                shop_id=shop_id,
                buyer_id=PersonId(principal.subject) if buyer else None,
                state=wanted.state,
                external_id=wanted.external_id,
                below=query.after,
                limit=query.limit,
            )
            shown, next_cursor = query.cut(rows)
            locks = await repository.set_locks(session, [row.id for row in shown])
        items = [view(row, locks.get(row.id, ()), whole=buyer) for row in shown]
        return Page(items=items, next_cursor=next_cursor)

    async def read(self, principal: Principal, order_id: OrderId) -> OrderView:
        """Return an order as the caller may see it. Raises `NotFound`."""
        await self._access.admit(principal, order_id)
        async with self._db.read(principal.shop_id) as session:
            row = await repository.find(session, order_id)
            if row is None:
                raise NotFound
            locks = await repository.set_locks(session, [order_id])
            whole = await self._access.sees_address(session, principal, row)
        if whole and principal.role != Role.BUYER:
            await self._access.note_shown(principal, order_id)
        return view(row, locks.get(row.id, ()), whole=whole)

    async def remarks(self, principal: Principal, order_id: OrderId) -> RemarkList:
        """Return the remarks of an order, oldest first. Raises `NotFound`."""
        await self._access.admit(principal, order_id)
        async with self._db.read(principal.shop_id) as session:
            rows = await repository.remarks(session, order_id)
        return RemarkList(items=[Remark.model_validate(row) for row in rows])

    async def interlocks(self, principal: Principal, order_id: OrderId) -> InterlockList:
        """Return every interlock of an order, set or cleared, oldest first. Raises `NotFound`."""
        await self._access.admit(principal, order_id)
        async with self._db.read(principal.shop_id) as session:
            rows = await repository.locks(session, order_id)
        return InterlockList(items=[Interlock.model_validate(row) for row in rows])


def view(row: OrderRow, locks: Sequence[LockKind], *, whole: bool) -> OrderView:
    """Return what is shown of an order; `whole` shows the address unmasked."""
    return OrderView(
        id=row.id,
        shop_id=row.shop_id,
        external_id=row.external_id,
        state=OrderState(row.state),
        version=row.version,
        buyer=BuyerView.show(row.buyer_id, row.buyer_name, whole=whole),
        address=AddressView.show(
            name=row.recipient_name,
            phone=row.recipient_phone,
            text=row.recipient_address,
            whole=whole,
        ),
        address_result=AddressResult(row.address_result) if row.address_result else None,
        address_attempts=row.address_attempts,
        interlocks=list(locks),
        lines=[Line.model_validate(line) for line in row.lines],
        total_fen=row.total_fen,
        paid_fen=row.paid_fen,
        refunded_fen=row.refunded_fen,
        currency=row.currency,
        placed_at=row.placed_at,
        paid_at=row.paid_at,
    )
