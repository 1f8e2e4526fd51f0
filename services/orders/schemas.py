"""What clients of the orders service send and see. Knows no table; masks what is personal."""

import base64
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.base import Moment
from contracts.orders import AddressResult, Line, OrderState
from kit.text import mask_address, mask_name, mask_phone
from kit.web.app import Body
from services.orders.domain import LockKind

FEN_LIMIT: Final = 10**11
"""A billion yuan: far above any order, far below what sums in 64 bits could overflow."""

LINES_LIMIT: Final = 200
"""Lines of one order; the shop's platform allows fewer. More are refused."""

ShopSlug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ExternalId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]
"""An id of the shop's platform: printable ASCII without blanks."""
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Fen = Annotated[int, Field(strict=True, ge=0, le=FEN_LIMIT, description="integer fen")]
Paid = Annotated[int, Field(strict=True, gt=0, le=FEN_LIMIT, description="integer fen")]
Currency = Literal["CNY"]


class Address(Body):
    """Whom and where the parcel goes to."""

    name: Short
    phone: Annotated[str, StringConstraints(pattern=r"^\+?[0-9 -]{5,24}$")]
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class PlacedLine(Body):
    """One line of an order; `price_fen` is the price of one piece."""

    sku: Short
    title: Short
    quantity: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    price_fen: Fen


class PlatformBuyer(Body):
    """The buyer as the shop's platform knows it."""

    external_id: ExternalId
    name: Short


class PlacedFacts(Body):
    """What the shop's platform says of a new order."""

    external_id: ExternalId
    buyer: PlatformBuyer
    address: Address
    lines: Annotated[list[PlacedLine], Field(min_length=1, max_length=LINES_LIMIT)]
    total_fen: Fen
    currency: Currency = "CNY"
    placed_at: Moment


class PaidFacts(Body):
    """What the shop's platform says of a payment."""

    external_id: ExternalId
    paid_fen: Paid
    currency: Currency = "CNY"
    paid_at: Moment


class PlacedDelivery(Body):
    """A signed delivery: an order was placed."""

    type: Literal["order.placed"]
    timestamp: Moment
    data: PlacedFacts


class PaidDelivery(Body):
    """A signed delivery: an order was paid."""

    type: Literal["order.paid"]
    timestamp: Moment
    data: PaidFacts


Delivery = Annotated[PlacedDelivery | PaidDelivery, Field(discriminator="type")]
"""What the intake takes (Standard Webhooks: type, timestamp, data)."""


class Receipt(BaseModel):
    """The answer to a delivery; a repeat gets the first one again."""

    order_id: str
    external_id: str
    state: OrderState
    version: int


class IntakeSecret(BaseModel):
    """What a shop signs its deliveries with. Version 0 is that of a shop that never rotated."""

    shop_id: str
    version: int
    secret: str = Field(description="Standard Webhooks secret, `whsec_` and base64")


class IntakeSecretRotated(BaseModel):
    """The shop's newest secret has this version; the one before it is good until the next."""

    shop_id: str
    version: int


def show_key(key: bytes) -> str:
    """Return an intake key as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(key).decode()


class AddressCheck(Body):
    """How asking the buyer about the address ended; `changed` brings the new address."""

    result: AddressResult
    address: Address | None = None

    @model_validator(mode="after")
    def _address_belongs_to_changed(self) -> Self:
        if (self.address is not None) != (self.result is AddressResult.CHANGED):
            raise ValueError("send an address with the result 'changed', and only then")
        return self


class NewRemark(Body):
    """A remark to add; none is ever changed."""

    text: Prose


class Reason(Body):
    """Why the caller does this; kept in the audit."""

    reason: Short


class Nothing(Body):
    """The body of a command without arguments: empty, or an object without fields."""


class Remark(BaseModel):
    """One remark of an order."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    author_id: str
    author_name: str
    text: str
    at: Moment


class Interlock(BaseModel):
    """What keeps, or kept, an order from being printed."""

    model_config = ConfigDict(from_attributes=True)

    kind: LockKind
    ref: str = Field(description="the case, or the order itself")
    set_at: Moment
    cleared_at: Moment | None


class RemarkList(BaseModel):
    """The remarks of an order, oldest first."""

    items: list[Remark]


class InterlockList(BaseModel):
    """The interlocks of an order, oldest first."""

    items: list[Interlock]


class BuyerView(BaseModel):
    """The buyer of an order."""

    id: str
    name: str

    @classmethod
    def show(cls, buyer_id: str, name: str, *, whole: bool) -> Self:
        """Return the buyer with the name whole, or masked as 陈*平."""
        return cls(id=buyer_id, name=name if whole else mask_name(name))


class AddressView(BaseModel):
    """Where the parcel goes; `masked` says that this caller may not see it whole."""

    name: str
    phone: str
    text: str
    masked: bool

    @classmethod
    def show(cls, *, name: str, phone: str, text: str, whole: bool) -> Self:
        """Return the address whole, or masked as 陈*平, 138****8000, 浙江省杭州市西湖区***."""
        if whole:
            return cls(name=name, phone=phone, text=text, masked=False)
        return cls(
            name=mask_name(name), phone=mask_phone(phone), text=mask_address(text), masked=True
        )


class OrderView(BaseModel):
    """An order as its buyer or its shop's staff see it. Money is integer fen."""

    id: str
    shop_id: str
    external_id: str
    state: OrderState
    version: int
    buyer: BuyerView
    address: AddressView
    address_result: AddressResult | None
    address_attempts: int
    interlocks: list[LockKind]
    lines: list[Line]
    total_fen: int
    paid_fen: int
    refunded_fen: int
    currency: str
    placed_at: Moment
    paid_at: Moment | None


class OrderFilter(Body):
    """The filters of the list of orders; nothing else is accepted in its query."""

    state: OrderState | None = None
    external_id: ExternalId | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
