"""Brings together who waits and who has room, in the transaction of whatever made it possible.

Decides nothing itself (`assignment` and `domain` do) and opens no transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.base import Event
from contracts.people import ConversationState, PersonId, ShopId
from kit import outbox
from kit.clock import Clock
from kit.ids import Ids
from services.conversation.conversations import clock
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import (
    Conversation,
    Outcome,
    announce,
    assign,
    reopen,
    requeue,
)
from services.conversation.domain import Stamp
from services.conversation.routing import repository
from services.conversation.routing.assignment import Decision, Reason, distribute
from services.conversation.routing.domain import assign_work, requeue_work
from services.conversation.routing.repository import Kept
from services.conversation.shops import repository as shops
from services.conversation.staff import repository as staff
from services.conversation.staff.domain import AWAY


class Routing:
    """Moves conversations and work items between queue and agents.

    Every method expects that the caller's transaction holds the shop's lock
    (`repository.conversations.lock_shops`), taken before any row.
    """

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    def stamp(self) -> Stamp:
        """Return the moment of a decision that is taken now."""
        return Stamp(self._clock.now(), self._ids)

    async def apply(self, session: AsyncSession, outcome: Outcome) -> Conversation:
        """Store a decision and its events."""
        if outcome.events:
            await conversations.save(session, outcome.conversation)
            await outbox.add(session, *outcome.events)
        return outcome.conversation

    async def place(self, session: AsyncSession, outcome: Outcome, trigger: str) -> Conversation:
        """Store a decision that leaves a conversation waiting, and look for an agent at once."""
        waiting = outcome.conversation
        await conversations.save(session, waiting)
        await outbox.add(session, *outcome.events)
        await self.settle(session, waiting.shop_id, [waiting.id], trigger)
        placed = await conversations.find(session, waiting.id)
        return placed or waiting

    async def settle(
        self, session: AsyncSession, shop_id: ShopId, ids: Sequence[str], trigger: str
    ) -> None:
        """Distribute what waits in the shop; tell the log which of `ids` have to wait on."""
        decisions = await self._distribute(session, shop_id, trigger)
        left = [one for one in decisions if one.agent_id is None and one.waiting_id in set(ids)]
        known = {one.waiting_id: one for one in left}
        stamp, waits = self.stamp(), await clock.waiting_since(session, ids)
        events: list[Event] = []
        for waiting in await conversations.lock_all(session, ids):
            reason = known[waiting.id].reason if waiting.id in known else Reason.ALL_FULL
            outcome = announce(waiting, reason, stamp, waits_since=waits.get(waiting.id))
            if outcome.events:
                await conversations.save(session, outcome.conversation)
                events.extend(outcome.events)
        await outbox.add(session, *events)
        await self._record(session, Kept(shop_id, trigger), left)

    async def fill(self, session: AsyncSession, shop_id: ShopId, trigger: str) -> int:
        """Give what waits to whoever has room; return how much found somebody."""
        decisions = await self._distribute(session, shop_id, trigger)
        return sum(one.agent_id is not None for one in decisions)

    async def release(
        self, session: AsyncSession, shop_id: ShopId, agent_id: PersonId, trigger: str
    ) -> None:
        """Take from somebody who went away the buyers who wait, and place them anew (H38).

        Those whom he answered stay his until they write again.
        """
        owned = [one.id for one in await conversations.owned_by(session, agent_id)]
        waiting = sorted(await clock.waiting_since(session, owned))
        await self._requeue(session, waiting)
        await self.settle(session, shop_id, waiting, trigger)

    async def give_back_work(self, session: AsyncSession, agent_id: PersonId) -> None:
        """Put the work of somebody who is not there back into the queue."""
        await self._requeue_work(session, agent_id)

    async def release_all(
        self, session: AsyncSession, shop_id: ShopId, agent_id: PersonId, trigger: str
    ) -> None:
        """Take everything from an agent who will not come back."""
        owned = [one.id for one in await conversations.owned_by(session, agent_id)]
        await self._requeue(session, owned)
        await self._requeue_work(session, agent_id)
        await self.settle(session, shop_id, owned, trigger)

    async def take_from_silent(
        self, session: AsyncSession, shop_id: ShopId, ids: Sequence[str], trigger: str
    ) -> None:
        """Put assigned conversations back into the queue; somebody else is asked first."""
        await self._requeue(session, ids, silent=True)
        await self.settle(session, shop_id, ids, trigger)

    async def contact(
        self, session: AsyncSession, shop_id: ShopId, ids: Sequence[str], trigger: str
    ) -> None:
        """A buyer wrote into conversations that are closed or whose agent is away."""
        stamp, waits = self.stamp(), await clock.waiting_since(session, ids)
        for conversation in await conversations.lock_all(session, ids):
            since = waits.get(conversation.id)
            if conversation.state is ConversationState.CLOSED:
                by = conversation.buyer_id
                reopened = reopen(conversation, by, "buyer_message", stamp, waits_since=since)
                await self.apply(session, reopened)
            elif await self._owner_is_away(session, conversation):
                requeued = requeue(conversation, stamp, waits_since=since)
                await conversations.save(session, requeued.conversation)
        await self.settle(session, shop_id, ids, trigger)

    async def _owner_is_away(self, session: AsyncSession, conversation: Conversation) -> bool:
        if conversation.agent_id is None:
            return False
        owner = await staff.find_agent(session, conversation.agent_id)
        return owner is None or owner.state in AWAY

    async def _requeue_work(self, session: AsyncSession, agent_id: PersonId) -> None:
        for item in await repository.work_of(session, agent_id):
            locked = await repository.lock_work(session, item.id)
            if locked is not None and locked.agent_id == agent_id:
                await repository.save_work(session, requeue_work(locked, self.stamp()))

    async def _requeue(
        self, session: AsyncSession, ids: Sequence[str], *, silent: bool = False
    ) -> None:
        stamp, waits = self.stamp(), await clock.waiting_since(session, ids)
        for conversation in await conversations.lock_all(session, ids):
            since = waits.get(conversation.id)
            outcome = requeue(conversation, stamp, waits_since=since, silent=silent)
            await conversations.save(session, outcome.conversation)

    async def _distribute(
        self, session: AsyncSession, shop_id: ShopId, trigger: str
    ) -> list[Decision]:
        queue = await repository.queue(session, shop_id)
        if not queue.waiting:
            return []
        timing = await shops.timing_of(session, shop_id)
        decisions = distribute(
            queue.waiting,
            await repository.candidates(session, shop_id),
            now=self._clock.now(),
            overflow_after=timedelta(seconds=timing.overflow_s),
        )
        made = [one for one in decisions if one.agent_id is not None]
        await self._carry_out(session, made, queue.work)
        await self._record(session, Kept(shop_id, trigger, queue.work), made)
        return decisions

    async def _carry_out(
        self, session: AsyncSession, made: Sequence[Decision], work: frozenset[str]
    ) -> None:
        chosen = {one.waiting_id: one for one in made}
        events: list[Event] = []
        ids = sorted(chosen.keys() - work)
        stamp, waits = self.stamp(), await clock.waiting_since(session, ids)
        for waiting in await conversations.lock_all(session, ids):
            agent, reason = _agent(chosen[waiting.id]), chosen[waiting.id].reason
            outcome = assign(waiting, agent, reason, stamp, waits_since=waits.get(waiting.id))
            await conversations.save(session, outcome.conversation)
            events.extend(outcome.events)
        for work_id in sorted(chosen.keys() & work):
            item = await repository.lock_work(session, work_id)
            if item is not None:
                assigned, event = assign_work(item, _agent(chosen[work_id]), stamp)
                await repository.save_work(session, assigned)
                events.append(event)
        await outbox.add(session, *events)
        await repository.note_assigned(session, sorted(set(map(_agent, made))), stamp.at)

    async def _record(
        self, session: AsyncSession, kept: Kept, decisions: Iterable[Decision]
    ) -> None:
        made = [(self._ids.new(), one) for one in decisions]
        await repository.record(session, kept, made, at=self._clock.now())


def _agent(decision: Decision) -> PersonId:
    if decision.agent_id is None:
        raise ValueError("a decision for nobody is not carried out")
    return decision.agent_id
