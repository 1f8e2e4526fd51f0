"""Brings together who waits and who has room, in the transaction of whatever made it possible.

Decides nothing itself (`assignment` and the domains do) and opens no transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, ConversationState, PersonId, ShopId, WorkId
from kit import outbox
from kit.clock import Clock
from kit.ids import Ids
from services.conversation.conversations import clock
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import (
    Conversation,
    Outcome,
    announce,
    reopen,
    requeue,
)
from services.conversation.domain import Stamp
from services.conversation.routing import repository
from services.conversation.routing.distributor import Distributor, store
from services.conversation.routing.domain import WorkItem, leave_work
from services.conversation.routing.repository import Kept
from services.conversation.routing.seniors import Seniors
from services.conversation.staff import repository as staff
from services.conversation.staff.domain import AWAY, Agent


class Routing:
    """Moves conversations and work items between queue and agents.

    Every method expects that the caller's transaction has the shop's turn (`turns`), taken before
    any row.
    """

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._seniors = Seniors(clock, ids)
        self._distributor = Distributor(clock, ids, self._seniors)

    def stamp(self) -> Stamp:
        """Return the moment of a decision that is taken now."""
        return Stamp(self._clock.now(), self._ids)

    async def apply(self, session: AsyncSession, outcome: Outcome) -> Conversation:
        """Store a decision and its events."""
        if outcome.events:
            await conversations.save(session, outcome.conversation)
            await outbox.add(session, *outcome.events)
        return outcome.conversation

    async def apply_all(self, session: AsyncSession, outcomes: Sequence[Outcome]) -> None:
        """Store decisions on several conversations and their events, at once."""
        await store(session, [outcome for outcome in outcomes if outcome.events])

    async def place(self, session: AsyncSession, outcome: Outcome, trigger: str) -> Conversation:
        """Store a decision that leaves a conversation waiting, and look for an agent at once."""
        waiting = outcome.conversation
        await conversations.save(session, waiting)
        return await self._placed(session, outcome, trigger)

    async def place_new(self, session: AsyncSession, opened: Outcome, trigger: str) -> Conversation:
        """Store a conversation that begins, and look for an agent at once."""
        await conversations.add(session, opened.conversation)
        return await self._placed(session, opened, trigger)

    async def settle(
        self, session: AsyncSession, shop_id: ShopId, ids: Sequence[str], trigger: str
    ) -> dict[str, Conversation]:
        """Distribute what waits in the shop; tell the log which of `ids` have to wait on.

        Return what was given to somebody or has to wait, as it is now.
        """
        go = await self._distributor.go(session, shop_id, trigger, named=ids)
        others = [one for one in ids if one not in go.given]
        waiting = [one for one in await conversations.lock_all(session, others) if _is_queued(one)]
        stamp = self.stamp()
        waits = await clock.waiting_since(session, [one.id for one in waiting])
        left = [go.distribution.left(one.id, one.skill_group_id) for one in waiting]
        told = [
            announce(one, why.reason, stamp, waits_since=waits.get(one.id))
            for one, why in zip(waiting, left, strict=True)
        ]
        await store(session, [outcome for outcome in told if outcome.events])
        await self._distributor.record(session, Kept(shop_id, trigger), left)
        return {**go.given, **{one.conversation.id: one.conversation for one in told}}

    async def fill(self, session: AsyncSession, shop_id: ShopId, trigger: str) -> int:
        """Give what waits to whoever has room; return how much found somebody."""
        return (await self._distributor.go(session, shop_id, trigger)).count

    async def accompany(
        self, session: AsyncSession, shop_id: ShopId, work_id: WorkId, trigger: str
    ) -> None:
        """Bring a senior beside the holder of work that has escalated; keep why if nobody comes."""
        go = await self._distributor.go(session, shop_id, trigger)
        await self._seniors.note_missing(
            session, shop_id, work_id, distribution=go.distribution, trigger=trigger
        )

    async def release(
        self, session: AsyncSession, shop_id: ShopId, agent_ids: Sequence[PersonId], trigger: str
    ) -> None:
        """Take from people who went away the buyers who wait, and place them anew (H38).

        Those whom they answered stay theirs until they write again.
        """
        owned = await repository.owned_by(session, shop_id, agent_ids)
        await self.take_from_away(session, shop_id, owned, trigger)

    async def give_back_work(
        self, session: AsyncSession, shop_id: ShopId, agent_ids: Sequence[PersonId]
    ) -> None:
        """Take their work from people who are not there: it waits, or another holds it alone."""
        work = await repository.lock_work_of(session, shop_id, agent_ids)
        await self._leave(session, work, frozenset(agent_ids))

    async def give_back_unfit_work(self, session: AsyncSession, agent: Agent) -> None:
        """Take from somebody whose role has changed the work that he held by the one before."""
        work = await repository.lock_work_of(session, agent.shop_id, [agent.id])
        unfit = [item for item in work if not item.suits(agent.id, agent.role)]
        await self._leave(session, unfit, frozenset({agent.id}))

    async def release_all(
        self, session: AsyncSession, shop_id: ShopId, agent_id: PersonId, trigger: str
    ) -> None:
        """Take everything from an agent who will not come back."""
        owned = await repository.owned_by(session, shop_id, [agent_id])
        await self._requeue(session, owned, await clock.waiting_since(session, owned))
        await self.give_back_work(session, shop_id, [agent_id])
        await self.settle(session, shop_id, owned, trigger)

    async def take_from_away(
        self, session: AsyncSession, shop_id: ShopId, ids: Sequence[str], trigger: str
    ) -> None:
        """Place anew those of assigned conversations whose buyer waits; the others stay theirs."""
        waits = await clock.waiting_since(session, ids)
        await self._requeue(session, sorted(waits), waits)
        await self.settle(session, shop_id, sorted(waits), trigger)

    async def take_from_silent(
        self, session: AsyncSession, shop_id: ShopId, ids: Sequence[str], trigger: str
    ) -> None:
        """Put assigned conversations back into the queue; somebody else is asked first."""
        waits = await clock.waiting_since(session, ids)
        await self._requeue(session, ids, waits, silent=True)
        await self.settle(session, shop_id, ids, trigger)

    async def contact(
        self,
        session: AsyncSession,
        shop_id: ShopId,
        ids: Sequence[str],
        trigger: str,
        *,
        unseen: Mapping[ConversationId, datetime],
    ) -> None:
        """A buyer wrote into conversations that are closed or whose agent is away.

        `unseen`: since when he waits in those where a close hides his word.
        """
        stamp, waits = self.stamp(), await clock.waiting_since(session, ids)
        changed = []
        for conversation in await conversations.lock_all(session, ids):
            since = waits.get(conversation.id) or unseen.get(conversation.id)
            if conversation.state is ConversationState.CLOSED:
                by = conversation.buyer_id
                changed.append(
                    reopen(conversation, by, "buyer_message", stamp=stamp, waits_since=since)
                )
            elif await self._owner_is_away(session, conversation):
                changed.append(requeue(conversation, stamp, waits_since=since))
        await store(session, changed)
        await self.settle(session, shop_id, ids, trigger)

    async def _leave(
        self, session: AsyncSession, work: Sequence[WorkItem], gone: frozenset[PersonId]
    ) -> None:
        stamp = self.stamp()
        left = [leave_work(item, gone, stamp) for item in work]
        await repository.save_work(session, *[item for item, _ in left])
        await outbox.add(session, *[told for _, told in left if told is not None])

    async def _placed(self, session: AsyncSession, outcome: Outcome, trigger: str) -> Conversation:
        waiting = outcome.conversation
        await outbox.add(session, *outcome.events)
        found = await self.settle(session, waiting.shop_id, [waiting.id], trigger)
        return found[waiting.id]

    async def _owner_is_away(self, session: AsyncSession, conversation: Conversation) -> bool:
        if conversation.agent_id is None:
            return False
        owner = await staff.find_agent(session, conversation.agent_id)
        return owner is None or owner.state in AWAY

    async def _requeue(
        self,
        session: AsyncSession,
        ids: Sequence[str],
        waits: Mapping[str, datetime],
        *,
        silent: bool = False,
    ) -> None:
        stamp = self.stamp()
        await store(
            session,
            [
                requeue(one, stamp, waits_since=waits.get(one.id), silent=silent)
                for one in await conversations.lock_all(session, ids)
            ],
        )


def _is_queued(conversation: Conversation) -> bool:
    return conversation.state is ConversationState.QUEUED
