"""What falls due without anybody acting: buyers who wait on, agents who stay silent.

Any number of replicas may sweep: each step takes the shop's lock and looks again.
"""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from kit.clock import Clock
from kit.postgres import Database
from services.conversation import turns
from services.conversation.conversations import repository as conversations
from services.conversation.routing import repository
from services.conversation.routing.service import Routing

log = structlog.get_logger()


@dataclass(frozen=True)
class Sweeps:
    """Use cases of time alone. `silence` is how long an agent may leave a buyer unanswered."""

    db: Database
    routing: Routing
    silence: timedelta
    clock: Clock

    async def fill(self) -> None:
        """Offer whoever waits to whoever has room."""
        async with self.db.read_across("in which shops somebody waits") as session:
            shops = await repository.shops_waiting(session)
        for shop_id in shops:
            async with self.db.write(shop_id) as session:
                await turns.lock_shops(session, [shop_id])
                await self.routing.fill(session, shop_id, "sweep")

    async def relieve(self) -> None:
        """Give buyers whose agent has been silent for too long to somebody else (C12)."""
        before = self.clock.now() - self.silence
        async with self.db.read_across("in which shops an answer is owed") as session:
            owed = await repository.owed_an_answer(session, before=before)
            found = await conversations.find_all(session, owed)
        for shop_id in sorted({one.shop_id for one in found}):
            async with self.db.write(shop_id) as session:
                await turns.lock_shops(session, [shop_id])
                again = await repository.owed_an_answer(session, before=before, shop_id=shop_id)
                await self.routing.take_from_silent(session, shop_id, again, "silence")
                log.info("conversations.taken_from_silent", shop_id=shop_id, count=len(again))
