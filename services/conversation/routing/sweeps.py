"""What falls due without anybody acting: buyers who wait on, agents who stay silent.

Any number of replicas may sweep: each step takes the shop's turn and looks again.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

import structlog

from contracts.people import ShopId
from kit.clock import Clock
from kit.errors import Unavailable
from kit.postgres import Database, DatabaseAway
from services.conversation.routing import queues
from services.conversation.routing.service import Routing
from services.conversation.shops import repository as shops
from services.conversation.turns import Turns

log = structlog.get_logger()

Through: TypeAlias = Callable[[], Awaitable[datetime | None]]
"""Through which moment the archive holds everything that was said; None: that is not known."""

BEHIND_MOST: Final = timedelta(seconds=10)
"""With the archive further behind every live chat looks silent, so nobody is judged (H48)."""

GOES_AT_ONCE: Final = 20
"""So many goes of a shop follow one another in a sweep; others have their turns between them."""

TAKEN_AT_ONCE: Final = 200
"""So many buyers of a shop are taken from their agents in one go; the next look takes others."""


@dataclass(frozen=True)
class Sweeps:
    """Use cases of time alone."""

    db: Database
    turns: Turns
    routing: Routing
    clock: Clock
    through: Through

    async def fill(self) -> None:
        """Offer whoever waits, and overdue work, to whoever has room."""
        async with self.db.read_across("in which shops somebody waits") as session:
            waiting = await queues.shops_waiting(session)
            overdue = await queues.shops_overdue(session)
        await self._each(sorted({*waiting, *overdue}), self._fill)

    async def _fill(self, shop_id: ShopId) -> None:
        """Go on while a go finds as much as it may look at, so that a long queue drains."""
        for _ in range(GOES_AT_ONCE):
            async with self.turns.write(shop_id) as session:
                found = await self.routing.fill(session, shop_id, "sweep")
            if found < queues.HEADS:
                return

    async def relieve(self) -> None:
        """Give buyers whose agent is silent for too long, or away, to somebody else (C12, H38).

        Judged is the moment through which the archive is complete: what was said after it is not
        known here (H48). Whoever goes away gives his waiting buyers at once; one whose word was
        being stored at that moment is seen by neither side, and is found here.
        """
        through = await self.through()
        if through is None or self.clock.now() - through > BEHIND_MOST:
            log.warning("conversations.silence_not_judged", through=through)
            return
        async with self.db.read_across("in which shops an agent may be silent") as session:
            timings = await shops.timings_of(session, await queues.shops_serving(session))
        left = {
            shop_id: partial(
                queues.left_waiting,
                shop_id=shop_id,
                before=through - timedelta(seconds=timing.silence_s),
                through=through,
            )
            for shop_id, timing in timings.items()
        }
        await self._each(left, lambda shop_id: self._relieve(shop_id, left[shop_id]))

    async def _each(
        self, shop_ids: Iterable[ShopId], work: Callable[[ShopId], Awaitable[None]]
    ) -> None:
        """Do it in each shop; one that is busy keeps the others from nothing and has the next."""
        for shop_id in shop_ids:
            try:
                await work(shop_id)
            except DatabaseAway:
                raise
            except Unavailable as busy:
                log.warning("sweep.shop_left_out", shop_id=shop_id, reason=busy.slug)

    async def _relieve(
        self, shop_id: ShopId, left: Callable[..., Awaitable[dict[str, bool]]]
    ) -> None:
        async with self.db.read(shop_id) as session:
            if not await left(session, limit=1):
                return
        async with self.turns.write(shop_id) as session:
            found = await left(session, limit=TAKEN_AT_ONCE)
            away = [one for one, is_away in found.items() if is_away]
            silent = [one for one, is_away in found.items() if not is_away]
            if away:
                await self.routing.take_from_away(session, shop_id, away, "buyer_wrote")
            if silent:
                await self.routing.take_from_silent(session, shop_id, silent, "silence")
        log.info("conversations.relieved", shop_id=shop_id, silent=len(silent), away=len(away))
