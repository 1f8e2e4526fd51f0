"""Events the orders service produces. Money is integer fen."""

from enum import StrEnum
from typing import ClassVar

from typing_extensions import override

from contracts.base import Event, Moment, Part
from contracts.people import OrderId, PersonId
from contracts.topics import ORDERS, Topic


class OrderState(StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    PAID = "paid"
    RELEASED = "released"
    PRINTED = "printed"
    CLOSED = "closed"


class AddressResult(StrEnum):
    """How the address check after payment ended."""

    VERIFIED = "verified"
    CHANGED = "changed"
    NO_ANSWER = "no_answer"


class Line(Part):
    """One line of an order; `price_fen` is the price of one piece."""

    sku: str
    title: str
    quantity: int
    price_fen: int


class OrderEvent(Event):
    """What every order event carries. `version` is the order's row version after the change."""

    topic: ClassVar[Topic] = ORDERS
    source: ClassVar[str] = "orders"

    order_id: OrderId
    buyer_id: PersonId
    version: int

    @property
    @override
    def key(self) -> str:
        """One order, one order of events."""
        return self.order_id


class OrderPlaced(OrderEvent):
    """The shop platform told us of a new order."""

    type: ClassVar[str] = "order.placed.v1"

    external_id: str
    lines: tuple[Line, ...]
    total_fen: int
    currency: str = "CNY"


class OrderPaid(OrderEvent):
    """The buyer paid; the address has to be checked before printing."""

    type: ClassVar[str] = "order.paid.v1"

    external_id: str
    paid_fen: int
    currency: str = "CNY"
    paid_at: Moment


class OrderAddressChecked(OrderEvent):
    """An agent asked the buyer about the address, or the buyer said himself that it is right.

    Not `final`: nobody answered, and he is asked again at `ask_again_at`; a release before this one
    does not say when, and means at once.
    """

    type: ClassVar[str] = "order.address_checked.v1"

    result: AddressResult
    by: PersonId
    final: bool = True
    ask_again_at: Moment | None = None


class OrderRemarked(OrderEvent):
    """Somebody added a remark to the order's append-only history."""

    type: ClassVar[str] = "order.remarked.v1"

    remark_id: str
    by: PersonId


class OrderReleased(OrderEvent):
    """Every interlock is clear: the order may be printed."""

    type: ClassVar[str] = "order.released.v1"


class OrderHeld(OrderEvent):
    """A released order must not be printed after all; another `released` follows, or `closed`."""

    type: ClassVar[str] = "order.held.v1"

    reason: str


class OrderPrinted(OrderEvent):
    """The label of the order was printed."""

    type: ClassVar[str] = "order.printed.v1"

    by: PersonId


class OrderClosed(OrderEvent):
    """The order will not be fulfilled."""

    type: ClassVar[str] = "order.closed.v1"

    by: PersonId
    reason: str
