"""Brings a senior beside the holder of overdue work (B42), in the transaction of whoever asks.

Nothing is taken from anybody. Where no senior has room the work is looked at again with each go.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId, WorkId
from kit import outbox
from kit.clock import Clock
from kit.ids import Ids
from services.conversation.domain import Stamp
from services.conversation.routing import queues, repository
from services.conversation.routing.assignment import Decision, Distribution
from services.conversation.routing.domain import add_senior
from services.conversation.routing.repository import Kept


@dataclass(frozen=True)
class Seniors:
    """Parts of a go: the caller's transaction has the shop's turn."""

    clock: Clock
    ids: Ids

    async def bring(
        self, session: AsyncSession, shop_id: ShopId, distribution: Distribution, trigger: str
    ) -> int:
        """Bring seniors with room beside holders of overdue work; return how many came.

        They are chosen before anybody who waits: overdue work has no time left, and takes only a
        share of a senior's places.
        """
        seniors = distribution.seniors_with_room()
        if not seniors:
            return 0
        overdue = await queues.overdue(session, shop_id, seniors=seniors)
        made = distribution.accompany(overdue)
        chosen = {one.waiting_id: one.agent_id for one in made if one.agent_id is not None}
        if not chosen:
            return 0
        stamp = Stamp(self.clock.now(), self.ids)
        items = await repository.lock_work(session, sorted(chosen))
        joined = [add_senior(item, chosen[item.id], stamp) for item in items]
        await repository.save_work(session, *[item for item, _ in joined])
        await outbox.add(session, *[event for _, event in joined])
        await self._record(session, shop_id, trigger, made)
        return len(joined)

    async def note_missing(
        self,
        session: AsyncSession,
        shop_id: ShopId,
        work_id: WorkId,
        *,
        distribution: Distribution,
        trigger: str,
    ) -> None:
        """Keep why nobody came to work that has just escalated, if nobody did."""
        item = await repository.lock_work(session, [work_id])
        if item and item[0].wants_senior:
            await self._record(session, shop_id, trigger, [distribution.alone(work_id)])

    async def _record(
        self, session: AsyncSession, shop_id: ShopId, trigger: str, made: Sequence[Decision]
    ) -> None:
        kept = Kept(shop_id, trigger, frozenset(one.waiting_id for one in made))
        decisions = [(self.ids.new(), one) for one in made]
        await repository.record(session, kept, decisions, at=self.clock.now())
