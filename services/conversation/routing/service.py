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
    reopen,
    requeue,
)
from services.conversation.domain import Stamp
from services.conversation.routing import repository
from services.conversation.routing.distributor import (
    Distributor,
    Joining,
    Occasion,
    store,
    store_taken,
)
from services.conversation.routing.domain import WorkItem, leave_work
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
        await store(session, [outcome])
        return outcome.conversation

    async def apply_all(self, session: AsyncSession, outcomes: Sequence[Outcome]) -> None:
        """Store decisions on several conversations and their events, at once."""
        await store(session, outcomes)

    async def place(
        self, session: AsyncSession, outcome: Outcome, trigger: str, *, since: datetime | None
    ) -> Conversation:
        """Store a decision that leaves a conversation waiting, and look for an agent at once.

        `since` is when its buyer's wait for an answer began, if he waits.
        """
        waiting = outcome.conversation
        await conversations.save_all(session, [waiting])
        joining = [Joining(outcome, trigger, since)]
        found = await self.join(session, waiting.shop_id, joining, trigger=trigger)
        return found[waiting.id]

    async def join(
        self,
        session: AsyncSession,
        shop_id: ShopId,
        joining: Sequence[Joining],
        *,
        trigger: str,
    ) -> Mapping[str, Conversation]:
        """Look for agents for those who join the queue, in one go; tell the log who has to wait.

        Return each as it is now.
        """
        return (await self._distributor.go(session, shop_id, Occasion(trigger, joining))).joined

    async def free(self, session: AsyncSession, outcome: Outcome, trigger: str) -> Conversation:
        """Store a decision that frees a place, and give it to whoever waits."""
        freed = outcome.conversation
        await conversations.save_all(session, [freed])
        occasion = Occasion(trigger, told=outcome.events)
        await self._distributor.go(session, freed.shop_id, occasion)
        return freed

    async def take(self, session: AsyncSession, outcome: Outcome) -> Conversation:
        """Store that somebody took a conversation from the queue himself, and that nobody chose."""
        await store_taken(session, outcome, self.stamp())
        return outcome.conversation

    async def fill(self, session: AsyncSession, shop_id: ShopId, trigger: str) -> int:
        """Give what waits to whoever has room; return how much found somebody."""
        return (await self._distributor.go(session, shop_id, Occasion(trigger))).count

    async def accompany(
        self, session: AsyncSession, shop_id: ShopId, work_id: WorkId, trigger: str
    ) -> None:
        """Bring a senior beside the holder of work that has escalated; keep why if nobody comes."""
        go = await self._distributor.go(session, shop_id, Occasion(trigger))
        await self._seniors.note_missing(
            session, shop_id, work_id, distribution=go.distribution, trigger=trigger
        )

    async def release(
        self, session: AsyncSession, shop_id: ShopId, agent_ids: Sequence[PersonId], trigger: str
    ) -> None:
        """Take from people who went away the buyers who wait, and place them anew (H38).

        Those whom they answered stay theirs until they write again, and whom they took off duty
        whatever they do.
        """
        owned = await repository.owned_by(session, shop_id, agent_ids, taken=False)
        await self.take_from_away(session, shop_id, owned, trigger)

    async def release_taken(
        self, session: AsyncSession, shop_id: ShopId, agent_ids: Sequence[PersonId], trigger: str
    ) -> None:
        """Take from people whom no gateway carries all that they took off duty (F11).

        Whether its buyer waits or not: nobody would see him write again.
        """
        taken = await repository.taken_by(session, shop_id, agent_ids)
        if taken:
            await self._place_anew(session, shop_id, taken, trigger=trigger)

    async def give_back_work(
        self, session: AsyncSession, shop_id: ShopId, agent_ids: Sequence[PersonId]
    ) -> None:
        """Take their work from people who are not there: it waits, or another holds it alone."""
        work = await repository.lock_work_of(session, shop_id, agent_ids)
        await _leave(session, work, frozenset(agent_ids), stamp=self.stamp())

    async def give_back_unfit_work(self, session: AsyncSession, agent: Agent) -> None:
        """Take from somebody whose role has changed the work that he held by the one before."""
        work = await repository.lock_work_of(session, agent.shop_id, [agent.id])
        unfit = [item for item in work if not item.suits(agent.id, agent.role)]
        await _leave(session, unfit, frozenset({agent.id}), stamp=self.stamp())

    async def release_all(
        self, session: AsyncSession, shop_id: ShopId, agent_id: PersonId, trigger: str
    ) -> None:
        """Take everything from an agent who will not come back."""
        owned = await repository.owned_by(session, shop_id, [agent_id], taken=True)
        await self.give_back_work(session, shop_id, [agent_id])
        await self._place_anew(session, shop_id, owned, trigger=trigger)

    async def take_from_away(
        self, session: AsyncSession, shop_id: ShopId, ids: Sequence[str], trigger: str
    ) -> None:
        """Place anew those of assigned conversations whose buyer waits; the others stay theirs."""
        waits = await clock.waiting_since(session, ids)
        joining = await self._requeued(session, sorted(waits), waits, trigger=trigger)
        await self.join(session, shop_id, joining, trigger=trigger)

    async def take_from_silent(
        self, session: AsyncSession, shop_id: ShopId, ids: Sequence[str], trigger: str
    ) -> None:
        """Put assigned conversations back into the queue; somebody else is asked first."""
        await self._place_anew(session, shop_id, ids, trigger=trigger, silent=True)

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
            elif await _owner_is_away(session, conversation):
                changed.append(requeue(conversation, stamp, waits_since=since))
            else:
                changed.append(Outcome(conversation))
        joining = await _waiting(session, changed, waits, trigger)
        await self.join(session, shop_id, joining, trigger=trigger)

    async def _place_anew(
        self,
        session: AsyncSession,
        shop_id: ShopId,
        ids: Sequence[str],
        *,
        trigger: str,
        silent: bool = False,
    ) -> None:
        """Take conversations from their agents whether somebody waits in them or not."""
        waits = await clock.waiting_since(session, ids)
        joining = await self._requeued(session, ids, waits, trigger=trigger, silent=silent)
        await self.join(session, shop_id, joining, trigger=trigger)

    async def _requeued(
        self,
        session: AsyncSession,
        ids: Sequence[str],
        waits: Mapping[str, datetime],
        *,
        trigger: str,
        silent: bool = False,
    ) -> list[Joining]:
        """Take conversations from their agents; return those who wait now."""
        stamp = self.stamp()
        outcomes = [
            requeue(one, stamp, waits_since=waits.get(one.id), silent=silent)
            for one in await conversations.lock_all(session, ids)
        ]
        return await _waiting(session, outcomes, waits, trigger)


async def _leave(
    session: AsyncSession, work: Sequence[WorkItem], gone: frozenset[PersonId], *, stamp: Stamp
) -> None:
    left = [leave_work(item, gone, stamp) for item in work]
    await repository.save_work(session, *[item for item, _ in left])
    await outbox.add(session, *[told for _, told in left if told is not None])


async def _owner_is_away(session: AsyncSession, conversation: Conversation) -> bool:
    if conversation.agent_id is None or conversation.is_taken:
        return False
    owner = await staff.find_agent(session, conversation.agent_id)
    return owner is None or owner.state in AWAY


async def _waiting(
    session: AsyncSession,
    outcomes: Sequence[Outcome],
    waits: Mapping[str, datetime],
    trigger: str,
) -> list[Joining]:
    """Store those of them that wait, so that nobody's load counts them; they join the queue."""
    queued = [one for one in outcomes if one.conversation.state is ConversationState.QUEUED]
    await conversations.save_all(session, [one.conversation for one in queued])
    return [Joining(one, trigger, waits.get(one.conversation.id)) for one in queued]
