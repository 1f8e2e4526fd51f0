"""Shows a buyer whole. Knows who serves him at this moment; must not know what a look is for."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId
from kit.admission import Admission, Owner
from kit.audit import Audit
from kit.clock import Clock
from kit.errors import NotFound, Unprocessable
from kit.postgres import Database
from kit.text import is_blank
from kit.web.auth import Principal
from kit.web.limits import KeyedBuckets
from services.conversation.buyers import repository as buyers
from services.conversation.conversations import repository as conversations
from services.conversation.domain import known_form
from services.conversation.reveals.schemas import Look, RevealedBuyer

SHOWN_FOR: Final = timedelta(seconds=60)
"""How long a screen shows it."""

LOOKS_AN_HOUR: Final = 60.0
"""Looks of one person, at each process: who works needs fewer, who collects wants more."""

REVEALED: Final = "buyer_revealed"
"""What the audit calls a look."""


class WordsMissing(Unprocessable):
    """He does not serve this buyer, so he has to say in words why he looks."""

    slug, title = "words_missing", "Say in words why you look"


@dataclass(frozen=True)
class Reveals:
    """The use case."""

    db: Database
    admission: Admission
    audit: Audit
    clock: Clock
    looks: KeyedBuckets

    @classmethod
    def limited(
        cls, db: Database, admission: Admission, audit: Audit, *, clock: Clock
    ) -> "Reveals":
        """Return the use case with its limit: so many looks at once, and as many an hour."""
        looks = KeyedBuckets(LOOKS_AN_HOUR / 3600, LOOKS_AN_HOUR, clock=clock)
        return cls(db, admission, audit, clock, looks)

    async def reveal(self, principal: Principal, buyer_id: str, look: Look) -> RevealedBuyer:
        """Return a buyer of the caller's shop whole; the same transaction notes who saw him.

        Raises `NotFound`, `WordsMissing`, `TooMany`.
        """
        self.looks.spend(principal.subject)
        wanted = PersonId(known_form(buyer_id))
        await self.admission.admit(principal, wanted, _owner_of)
        async with self.db.write(principal.shop_id) as session:
            buyer = await buyers.find_buyer(session, wanted)
            if buyer is None:
                raise NotFound
            open_ones = await conversations.open_of(session, wanted)
            if is_blank(look.text) and all(one.agent_id != principal.subject for one in open_ones):
                raise WordsMissing
            note = f"{look.reason}: {look.text}" if look.text else str(look.reason)
            await self.audit.note(session, principal, REVEALED, buyer.id, note=note)
        return RevealedBuyer(
            name=buyer.name,
            phone=buyer.phone,
            address=buyer.address,
            until=self.clock.now() + SHOWN_FOR,
        )


async def _owner_of(session: AsyncSession, buyer_id: PersonId) -> Owner | None:
    found = await buyers.find_buyer(session, buyer_id)
    return None if found is None else Owner(found.shop_id, found.id)
