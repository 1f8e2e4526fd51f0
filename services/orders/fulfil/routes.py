"""The HTTP door for staff who move orders on. Knows no table."""

from typing import Annotated

from fastapi import APIRouter, Depends

from contracts.people import CHATTING_STAFF, Role
from kit.web.auth import Principal, require
from kit.web.idempotency import VersionedKey
from kit.web.preconditions import IfMatch
from services.orders.fulfil.schemas import AddressCheck, Nothing
from services.orders.fulfil.service import Fulfilment
from services.orders.trade.routes import OrderPath
from services.orders.trade.schemas import OrderView, Reason

Chatting = Annotated[Principal, Depends(require(*CHATTING_STAFF))]
Buying = Annotated[Principal, Depends(require(Role.BUYER))]
Printing = Annotated[Principal, Depends(require(Role.CLERK, Role.SUPERVISOR))]


async def no_fields(_body: Nothing | None = None) -> None:
    """Refuse fields that the command would not look at."""


def routes(orders: Fulfilment) -> APIRouter:
    """Return the routes that move an order on."""
    router = APIRouter(prefix="/v1/orders/{order_id}", tags=["orders"])

    @router.post("/address-verification")
    async def verify_address(
        *,
        order_id: OrderPath,
        check: AddressCheck,
        principal: Chatting,
        version: IfMatch,
        key: VersionedKey,
    ) -> OrderView:
        """Record how asking the buyer about the address ended; may release the order."""
        return await orders.check_address(principal, order_id, check, version=version, key=key)

    @router.post("/address-confirmation", dependencies=[Depends(no_fields)])
    async def confirm_address(
        *, order_id: OrderPath, principal: Buying, key: VersionedKey
    ) -> OrderView:
        """Let the buyer say on an order's card that its address is right; may release the order."""
        return await orders.confirm_address(principal, order_id, key=key)

    @router.post("/print", dependencies=[Depends(no_fields)])
    async def print_order(
        *, order_id: OrderPath, principal: Printing, version: IfMatch, key: VersionedKey
    ) -> OrderView:
        """Print the label of a released order; 409 while it is interlocked."""
        return await orders.print_label(principal, order_id, version=version, key=key)

    @router.post("/close")
    async def close_order(
        *,
        order_id: OrderPath,
        why: Reason,
        principal: Chatting,
        version: IfMatch,
        key: VersionedKey,
    ) -> OrderView:
        """Close an order that nobody has paid for."""
        return await orders.close(principal, order_id, why.reason, version=version, key=key)

    return router
