"""What clients send and see of an order. Knows no table; masks what is personal."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.base import Moment
from contracts.orders import AddressResult, Line, OrderState
from contracts.people import PersonId
from kit.text import mask_address, mask_name, mask_phone
from kit.web.app import Body
from kit.web.problems import invalid
from services.orders.trade.domain import LockKind

ExternalId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]
"""An id of the shop's platform: printable ASCII without blanks."""
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Address(Body):
    """Whom and where the parcel goes to."""

    name: Short
    phone: Annotated[str, StringConstraints(pattern=r"^\+?[0-9 -]{5,24}$")]
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class NewRemark(Body):
    """A remark to add; none is ever changed."""

    text: Prose


class Reason(Body):
    """Why the caller does this; kept in the audit."""

    reason: Short


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
    ask_again_at: Moment | None = Field(
        description="when a buyer who did not answer is asked again; no answer counts before"
    )
    interlocks: list[LockKind]
    lines: list[Line]
    total_fen: int
    paid_fen: int
    refunded_fen: int
    currency: str
    placed_at: Moment
    paid_at: Moment | None


_ID = "[0-9a-f-]{1,64}"

FOUND_MOST = 20
"""Orders that one look finds at most."""


class OrderFilter(Body):
    """The filters of the list of orders; nothing else is accepted in its query.

    `q` is for staff, and alone: an order's id, its external id, or the whole phone it goes to. So
    is `ids`: 50 at most, with commas between them.
    """

    q: Annotated[str | None, Field(min_length=1, max_length=128)] = None
    ids: Annotated[str | None, Field(pattern=rf"^{_ID}(,{_ID}){{0,49}}$", max_length=3_250)] = None
    state: OrderState | None = None
    external_id: ExternalId | None = None
    buyer_id: Annotated[
        PersonId | None,
        Field(min_length=1, max_length=64, description="for staff; a buyer has his own alone"),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(min_length=1, max_length=1024)] = None

    def alone(self, name: Literal["q", "ids"]) -> str:
        """Return `q` or `ids`, which goes with no other filter. Raises `Unprocessable`."""
        others = sorted(self.model_fields_set - {name})
        if others:
            told = f"not together with {name}"
            raise invalid([{"loc": ("query", one), "msg": told} for one in others])
        return str(getattr(self, name))
