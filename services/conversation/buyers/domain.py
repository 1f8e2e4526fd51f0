"""Buyers: what is known of them, and what the directory tells of one (H13). Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from contracts.conversation import PersonListed
from contracts.people import PersonId, Role, ShopId
from kit.text import mask_address, mask_name, mask_phone
from services.conversation.domain import EVER, Stamp, revoked_at


@dataclass(frozen=True, slots=True)
class Buyer:
    """A buyer of one shop, anonymous without `external_id`. `tier`, 0 to 9, is his rank."""

    id: PersonId
    shop_id: ShopId
    name: str
    external_id: str | None = None
    phone: str = ""
    address: str = ""
    tier: int = 0
    not_before: datetime = EVER
    version: int = 0

    def withdrawn(self, at: datetime) -> "Buyer":
        """Return the buyer with every token of his ended."""
        return replace(self, not_before=revoked_at(at), version=self.version + 1)

    def masked(self) -> "Buyer":
        """Return what everybody but this buyer sees of him (P17)."""
        return replace(
            self,
            name=mask_name(self.name),
            phone=mask_phone(self.phone) if self.phone else "",
            address=mask_address(self.address) if self.address else "",
        )


def listed_buyer(buyer: Buyer, stamp: Stamp) -> PersonListed:
    """Return the directory's entry of a buyer whose tokens were revoked; it never names him."""
    return PersonListed(
        id=stamp.ids.new(),
        time=stamp.at,
        shop_id=buyer.shop_id,
        subject=buyer.id,
        name="",
        role=Role.BUYER,
        active=True,
        not_before=buyer.not_before,
        version=buyer.version,
    )
