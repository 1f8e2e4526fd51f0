"""Tells the directory anew what it held, after its log was lost.

Without it a gateway would know no revocation and no shop's wording policy until each changes again.
"""

from dataclasses import dataclass
from datetime import timedelta

from kit import outbox
from kit.clock import Clock
from kit.ids import Ids
from kit.postgres import Database
from kit.web.tokens import LIFETIME_LIMIT_S
from services.conversation.buyers import repository as buyers
from services.conversation.buyers.domain import listed_buyer
from services.conversation.domain import Stamp
from services.conversation.shops import repository as shops
from services.conversation.shops.domain import listed_shop
from services.conversation.staff import repository as staff
from services.conversation.staff.domain import listed_agent
from services.conversation.tokens import repository as tokens
from services.conversation.tokens.withdrawals import STILL_OUT, listed_session


@dataclass(frozen=True)
class Relisting:
    """One use case. To be repeated does no harm: readers take the newest version."""

    db: Database
    clock: Clock
    ids: Ids

    async def everything(self) -> int:
        """List all shops, all staff, and what ended tokens that may still be out; return how many.

        Their rows stay locked meanwhile: an older entry behind a newer one would outlive it.
        """
        stamp = Stamp(self.clock.now(), self.ids)
        still_out = stamp.at - timedelta(seconds=LIFETIME_LIMIT_S)
        count = 0
        async with self.db.write_across("the directory is told anew") as session:
            known = await shops.every_shop(session)
            revoked = await buyers.revoked_buyers(session, since=still_out)
            await outbox.add(session, *(listed_shop(shop, stamp) for shop in known))
            ended = await tokens.ended_since(session, stamp.at - STILL_OUT)
            await outbox.add(session, *(listed_buyer(buyer, stamp) for buyer in revoked))
            await outbox.add(session, *(listed_session(one, stamp) for one in ended))
            count += len(known) + len(revoked) + len(ended)
            after: str | None = None
            while agents := await staff.every_agent(session, after=after):
                await outbox.add(session, *(listed_agent(agent, stamp) for agent in agents))
                count, after = count + len(agents), agents[-1].id
        return count
