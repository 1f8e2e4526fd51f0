"""What shop platforms deliver, and what they are answered. Knows no table."""

import base64
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, StringConstraints

from contracts.base import Moment
from contracts.orders import OrderState
from kit.web.app import Body
from services.orders.trade.schemas import Address, ExternalId, Short

FEN_LIMIT: Final = 10**11
"""A billion yuan: far above any order, far below what sums in 64 bits could overflow."""

LINES_LIMIT: Final = 200
"""Lines of one order; the shop's platform allows fewer. More are refused."""

ShopSlug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Fen = Annotated[int, Field(strict=True, ge=0, le=FEN_LIMIT, description="integer fen")]
Paid = Annotated[int, Field(strict=True, gt=0, le=FEN_LIMIT, description="integer fen")]
Currency = Literal["CNY"]


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
