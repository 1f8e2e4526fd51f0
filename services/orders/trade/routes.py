"""The HTTP door for people: buyers see their own orders, staff their shop's. Knows no table."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from contracts.people import CHATTING_STAFF, OrderId, Role
from kit.web.auth import Caller, Principal, require
from kit.web.idempotency import IdempotencyKey, VersionedKey
from kit.web.paging import Page
from kit.web.preconditions import etag
from services.orders.trade.schemas import (
    InterlockList,
    NewRemark,
    OrderFilter,
    OrderView,
    Reason,
    Remark,
    RemarkList,
)
from services.orders.trade.service import OrderFinding, OrderReading, Remarks

_DESK: Final = (*CHATTING_STAFF, Role.CLERK)

OrderPath = Annotated[OrderId, Path(max_length=64)]
Staff = Annotated[Principal, Depends(require(*_DESK, Role.ADMIN))]
DeskStaff = Annotated[Principal, Depends(require(*_DESK))]
Supervisor = Annotated[Principal, Depends(require(Role.SUPERVISOR))]


def reading(orders: OrderReading, finding: OrderFinding) -> APIRouter:
    """Return the routes that read."""
    router = APIRouter(prefix="/v1/orders", tags=["orders"])

    @router.get("")
    async def list_orders(
        principal: Caller, query: Annotated[OrderFilter, Query()]
    ) -> Page[OrderView]:
        """List orders, newest first: a buyer's own, or the shop's with addresses masked.

        With `q` staff find them by id, external id or whole phone; that is audited. With `ids`
        they read those of their shop that they know of.
        """
        if query.q is not None:
            return await finding.find(principal, query.alone("q"))
        if query.ids is not None:
            return await orders.some(principal, query.alone("ids").split(","))
        return await orders.page(principal, query)

    @router.get("/{order_id}")
    async def read_order(
        *, order_id: OrderPath, principal: Caller, response: Response
    ) -> OrderView:
        """Read an order; its ETag is what commands want as If-Match."""
        found = await orders.read(principal, order_id)
        response.headers["ETag"] = etag(found.version)
        return found

    @router.get("/{order_id}/remarks")
    async def list_remarks(order_id: OrderPath, principal: Staff) -> RemarkList:
        """List an order's remarks, oldest first."""
        return await orders.remarks(principal, order_id)

    @router.get("/{order_id}/interlocks")
    async def list_interlocks(order_id: OrderPath, principal: Staff) -> InterlockList:
        """List what keeps, or kept, an order from being printed."""
        return await orders.interlocks(principal, order_id)

    return router


def remarks(orders: Remarks) -> APIRouter:
    """Return the routes that write beside an order, or show what is masked."""
    router = APIRouter(prefix="/v1/orders/{order_id}", tags=["orders"])

    @router.post("/remarks", status_code=201)
    async def add_remark(
        *, order_id: OrderPath, remark: NewRemark, principal: DeskStaff, key: IdempotencyKey
    ) -> Remark:
        """Add a remark; none is ever changed."""
        return await orders.remark(principal, order_id, remark.text, key=key)

    @router.post("/reveal")
    async def reveal_address(
        *, order_id: OrderPath, why: Reason, principal: Supervisor, key: VersionedKey
    ) -> OrderView:
        """Show the address whole; the look and its reason are audited."""
        return await orders.reveal(principal, order_id, why.reason, key=key)

    return router
