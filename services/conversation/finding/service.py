"""Finds buyers of a shop. Knows what may be looked up; must not know by which statement."""

from dataclasses import dataclass
from typing import Final

from kit.audit import Audit
from kit.clock import Clock
from kit.errors import Unprocessable
from kit.postgres import Database
from kit.text import is_blank, mask_phone, refuse_unstorable, whole_phone
from kit.web.auth import Principal
from kit.web.limits import KeyedBuckets
from services.conversation.buyers import repository as buyers
from services.conversation.buyers.domain import Buyer
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.schemas import BuyerView
from services.conversation.conversations.views import views
from services.conversation.finding.schemas import BUYERS_MOST, FoundBuyer, FoundBuyers

RATE: Final = 1.0
BURST: Final = 10.0
"""Looks of a person, a second and at once; then 429 with `Retry-After`."""

FOUND: Final = "buyers_searched"
"""What the audit calls a look; of a phone it keeps the mask."""


class NothingNamed(Unprocessable):
    """Blanks name nobody."""

    slug, title = "nothing_named", "Say the beginning of a name, or a whole phone"


@dataclass(frozen=True)
class Finding:
    """The use case."""

    db: Database
    audit: Audit
    looks: KeyedBuckets

    @classmethod
    def limited(cls, db: Database, audit: Audit, clock: Clock) -> "Finding":
        """Return the use case with its limit."""
        return cls(db, audit, KeyedBuckets(RATE, BURST, clock=clock))

    async def buyers(self, principal: Principal, wanted: str) -> FoundBuyers:
        """Return buyers of the caller's shop, masked; the same transaction notes who looked.

        By the beginning of a name, or by a whole phone: a part of one would undo its mask digit by
        digit. Raises `NothingNamed`, `TooMany`.
        """
        self.looks.spend(principal.subject)
        refuse_unstorable(wanted)
        if is_blank(wanted):
            raise NothingNamed
        shop_id, name, phones = principal.shop_id, wanted.strip(), whole_phone(wanted)
        async with self.db.write(shop_id) as session:
            note = mask_phone(name) if phones else name
            await self.audit.note(session, principal, FOUND, shop_id, note=note)
            ask = BUYERS_MOST + 1
            found = await buyers.called(session, shop_id, phones, limit=ask) if phones else []
            found += await buyers.named(session, shop_id, name, limit=ask - len(found))
            shown = list({one.id: one for one in found}.values())[:BUYERS_MOST]
            standing = (
                await conversations.standing_of_buyers(
                    session, shown[0].shop_id, [one.id for one in shown]
                )
                if shown
                else {}
            )
            talks = await views(session, list(standing.values()), principal)
        by_buyer = {talk.buyer_id: talk for talk in talks}
        items = tuple(
            FoundBuyer(buyer=_masked(one), conversation=by_buyer.get(one.id)) for one in shown
        )
        return FoundBuyers(items=items, more=len(found) > BUYERS_MOST)


def _masked(buyer: Buyer) -> BuyerView:
    seen = buyer.masked()
    return BuyerView(
        id=seen.id,
        name=seen.name,
        external_id=seen.external_id,
        phone=seen.phone,
        address=seen.address,
        masked=True,
    )
