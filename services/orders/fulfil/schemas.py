"""What clients send to move an order on. Knows no table."""

from typing import Self

from pydantic import model_validator

from contracts.orders import AddressResult
from kit.web.app import Body
from services.orders.trade.schemas import Address


class AddressCheck(Body):
    """How asking the buyer about the address ended; `changed` brings the new address."""

    result: AddressResult
    address: Address | None = None

    @model_validator(mode="after")
    def _address_belongs_to_changed(self) -> Self:
        if (self.address is not None) != (self.result is AddressResult.CHANGED):
            raise ValueError("send an address with the result 'changed', and only then")
        return self


class Nothing(Body):
    """The body of a command without arguments: empty, or an object without fields."""
