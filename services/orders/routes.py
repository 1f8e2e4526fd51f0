"""The HTTP door for people: buyers see their own orders, staff their shop's. Knows no table."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from contracts.people import CHATTING_STAFF, OrderId, Role
from kit.web.auth import Caller, Principal, require
from kit.web.idempotency import IdempotencyKey
from kit.web.paging import Page
from kit.web.preconditions import IfMatch, etag
from services.orders.schemas import (
    AddressCheck,
    InterlockList,
    NewRemark,
    Nothing,
    OrderFilter,
    OrderView,
    Reason,
    Remark,
    RemarkList,
)
from services.orders.service import Commands, Reading

_DESK: Final = (*CHATTING_STAFF, Role.CLERK)

OrderPath = Annotated[OrderId, Path(max_length=64)]
Staff = Annotated[Principal, Depends(require(*_DESK, Role.ADMIN))]
Desk = Annotated[Principal, Depends(require(*_DESK))]
Chatting = Annotated[Principal, Depends(require(*CHATTING_STAFF))]
Printing = Annotated[Principal, Depends(require(Role.CLERK, Role.SUPERVISOR))]
Supervisor = Annotated[Principal, Depends(require(Role.SUPERVISOR))]


async def no_fields(_body: Nothing | None = None) -> None:
    """Refuse fields that the command would not look at."""


def reading(orders: Reading) -> APIRouter:
    """Return the routes that read."""
    made = APIRouter(prefix="/v1/orders", tags=["orders"])

    @made.get("")
    async def list_orders(who: Caller, wanted: Annotated[OrderFilter, Query()]) -> Page[OrderView]:
        """List orders, newest first: a buyer's own, or the shop's with addresses masked."""
        return await orders.page(who, wanted)

    @made.get("/{order_id}")
    async def read_order(*, order_id: OrderPath, who: Caller, response: Response) -> OrderView:
        """Read an order; its ETag is what commands want as If-Match."""
        found = await orders.read(who, order_id)
        response.headers["ETag"] = etag(found.version)
        return found

    @made.get("/{order_id}/remarks")
    async def list_remarks(order_id: OrderPath, who: Staff) -> RemarkList:
        """List an order's remarks, oldest first."""
        return await orders.remarks(who, order_id)

    @made.get("/{order_id}/interlocks")
    async def list_interlocks(order_id: OrderPath, who: Staff) -> InterlockList:
        """List what keeps, or kept, an order from being printed."""
        return await orders.interlocks(who, order_id)

    return made


def commands(orders: Commands) -> APIRouter:
    """Return the routes that change something."""
    made = APIRouter(prefix="/v1/orders/{order_id}", tags=["orders"])

    @made.post("/address-verification", response_model=OrderView)
    async def verify_address(
        *,
        order_id: OrderPath,
        check: AddressCheck,
        who: Chatting,
        version: IfMatch,
        key: IdempotencyKey,
    ) -> Response:
        """Record how asking the buyer about the address ended; may release the order."""
        return await orders.check_address(who, order_id, check, version=version, keyed=key)

    @made.post("/remarks", response_model=Remark, status_code=201)
    async def add_remark(
        *, order_id: OrderPath, remark: NewRemark, who: Desk, key: IdempotencyKey
    ) -> Response:
        """Add a remark; none is ever changed."""
        return await orders.remark(who, order_id, remark.text, keyed=key)

    @made.post("/print", response_model=OrderView, dependencies=[Depends(no_fields)])
    async def print_order(
        *, order_id: OrderPath, who: Printing, version: IfMatch, key: IdempotencyKey
    ) -> Response:
        """Print the label of a released order; 409 while it is interlocked."""
        return await orders.print_label(who, order_id, version=version, keyed=key)

    @made.post("/close", response_model=OrderView)
    async def close_order(
        *, order_id: OrderPath, why: Reason, who: Chatting, version: IfMatch, key: IdempotencyKey
    ) -> Response:
        """Close an order that nobody has paid for."""
        return await orders.close(who, order_id, why.reason, version=version, keyed=key)

    @made.post("/reveal", response_model=OrderView)
    async def reveal_address(
        *, order_id: OrderPath, why: Reason, who: Supervisor, key: IdempotencyKey
    ) -> Response:
        """Show the address whole; the look and its reason are audited."""
        return await orders.reveal(who, order_id, why.reason, keyed=key)

    return made
