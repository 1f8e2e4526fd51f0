"""What silence ends (H36): a conversation in which nobody waits, a buyer whom nobody answered.

Any number of replicas may sweep: each takes the shop's turn and looks again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import structlog

from contracts.conversation import Timing
from contracts.people import PersonId, ShopId
from kit.clock import Clock
from kit.errors import Unavailable
from kit.postgres import Database, DatabaseAway
from services.conversation.archive import repository as archive
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation, Outcome, close
from services.conversation.domain import Stamp
from services.conversation.reception import repository
from services.conversation.routing.service import Routing
from services.conversation.routing.sweeps import BEHIND_MOST, Through
from services.conversation.shops import repository as shops
from services.conversation.turns import Turns

log = structlog.get_logger()

AT_ONCE: Final = 100
"""Conversations of a shop closed in one transaction, at most."""

SYSTEM: Final = PersonId("system")
"""Who closes where no person does."""


@dataclass(frozen=True)
class Closings:
    """A use case of time alone."""

    db: Database
    turns: Turns
    routing: Routing
    clock: Clock
    through: Through

    async def close_silent(self) -> None:
        """Close what has been silent for as long as its shop says.

        Judged is the moment through which the archive is complete, and nothing while that is long
        ago (H48).
        """
        through = await self.through()
        if through is None or self.clock.now() - through > BEHIND_MOST:
            log.warning("conversations.silence_not_judged", through=through)
            return
        async with self.db.read_across("in which shops something is open") as session:
            timings = await shops.timings_of(session, await repository.shops_open(session))
        for shop_id, timing in timings.items():
            try:
                while await self._close(shop_id, timing, through) == AT_ONCE:
                    pass
            except DatabaseAway:
                raise
            except Unavailable as busy:
                log.warning("sweep.shop_left_out", shop_id=shop_id, reason=busy.slug)

    async def _close(self, shop_id: ShopId, timing: Timing, through: datetime) -> int:
        silence = repository.Silence(
            shop_id,
            idle_since=through - timedelta(seconds=timing.idle_close_s),
            unanswered_since=through - timedelta(seconds=timing.abandon_s),
        )
        async with self.db.read(shop_id) as session:
            ids = await repository.silent(session, silence, limit=AT_ONCE)
        if not ids:
            return 0
        async with self.turns.write(shop_id) as session:
            # What the archive stores from here on finds the conversation closed, and reopens it.
            # All shops' archive waits meanwhile: only those that were found are looked at again.
            await archive.hold_back(session)
            found = await repository.still_silent(session, silence, ids)
            locked = await conversations.lock_all(session, sorted(found))
            stamp = self.routing.stamp()
            await self.routing.apply_all(
                session, [_closed(one, stamp, waits=found[one.id]) for one in locked]
            )
        async with self.turns.write(shop_id) as session:
            await self.routing.fill(session, shop_id, "slot_free")
        log.info("conversations.closed_by_silence", shop_id=shop_id, count=len(found))
        return len(found)


def _closed(conversation: Conversation, stamp: Stamp, *, waits: bool) -> Outcome:
    sweep: Literal["idle", "abandoned"] = "abandoned" if waits else "idle"
    return close(conversation, SYSTEM, sweep, stamp=stamp, sweep=sweep)
