"""Gives free places to whoever is first in line: asks the queue, has it decided, carries it out.

Decides nothing itself (`assignment` does) and opens no transaction.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.base import Event
from contracts.people import ConversationId, PersonId, ShopId
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
)
from services.conversation.domain import Stamp
from services.conversation.routing import queues, repository
from services.conversation.routing.assignment import Decision, Distribution, Reason, Waiting
from services.conversation.routing.domain import assign_work
from services.conversation.routing.repository import Kept
from services.conversation.routing.seniors import Seniors


@dataclass(frozen=True, slots=True)
class Joining:
    """A conversation that joins the queue with a go, which stores what becomes of it.

    `outcome` is what brought it there and its events; `waits_since` since when its buyer waits.
    """

    outcome: Outcome
    trigger: str
    waits_since: datetime | None = None
    is_new: bool = False

    @property
    def id(self) -> ConversationId:
        """Which conversation it is."""
        return self.outcome.conversation.id

    @property
    def conversation(self) -> Conversation:
        """It, as it waits."""
        return self.outcome.conversation


@dataclass(frozen=True, slots=True)
class Occasion:
    """What brings a go about, and what it does beside giving free places away.

    `told` are events of what brought it about; they stand before its own in the log.
    """

    trigger: str
    joining: Sequence[Joining] = ()
    told: Sequence[Event] = ()


@dataclass(frozen=True, slots=True)
class Go:
    """What a go gave away, and those who joined with it by their ids, as they are now."""

    distribution: Distribution
    count: int
    joined: Mapping[str, Conversation]


class Distributor:
    """One go through a shop's queue at a time, in the transaction that has the shop's turn."""

    def __init__(self, clock: Clock, ids: Ids, seniors: Seniors) -> None:
        self._clock = clock
        self._ids = ids
        self._seniors = seniors

    async def go(self, session: AsyncSession, shop_id: ShopId, occasion: Occasion) -> Go:
        """Give the shop's free places to whoever is first in line, those who join among them.

        Overdue work takes seniors' places before that. Where nobody has room the queue is not
        looked at (H39). Loads are counted from what is stored: whoever loses a conversation that
        joins must be seen without it. The log is told which of the joining have to wait.
        """
        known = await queues.candidates(session, shop_id, everybody=bool(occasion.joining))
        distribution = Distribution(known, now=self._clock.now())
        beside = await self._seniors.bring(session, shop_id, distribution, occasion.trigger)
        made, work = await self._decided(session, shop_id, distribution, occasion)
        decided = {one.waiting_id: one for one in made}
        for one in occasion.joining:
            if one.id not in decided:
                decided[one.id] = distribution.left(one.id, one.conversation.skill_group_id)
        stamp = Stamp(self._clock.now(), self._ids)
        joined = {one.id: _joined(one, decided[one.id], stamp) for one in occasion.joining}
        heads = [one for one in made if one.waiting_id not in joined]
        chats = [one for one in heads if one.waiting_id not in work]
        given = await self._given(session, chats, stamp)
        items = [one for one in heads if one.waiting_id in work]
        told = await self._assigned(session, items, stamp)
        new = {one.id for one in occasion.joining if one.is_new}
        await store(session, [*joined.values(), *given], before=occasion.told, others=told, new=new)
        triggers = {str(one.id): one.trigger for one in occasion.joining}
        kept = Kept(shop_id, occasion.trigger, work, triggers)
        decisions = [(self._ids.new(), one) for one in decided.values()]
        await repository.record(session, kept, decisions, at=stamp.at)
        now = {str(one): outcome.conversation for one, outcome in joined.items()}
        return Go(distribution, beside + len(made), now)

    async def _decided(
        self, session: AsyncSession, shop_id: ShopId, distribution: Distribution, occasion: Occasion
    ) -> tuple[list[Decision], frozenset[str]]:
        """Return who is given to whom, and which of these are work items."""
        places = distribution.places()
        if not places.count:
            return [], frozenset()
        queue = await queues.heads(session, shop_id, places, now=self._clock.now())
        waiting = {one.id: one for one in queue.waiting}
        # In a queue that was not seen to its end others stand before whoever joins it.
        heads = Counter(one.skill_group_id for one in queue.waiting)
        for one in (joining.conversation for joining in occasion.joining):
            if heads[one.skill_group_id] < queues.HEADS:
                waiting[one.id] = _waiting(one)
        return distribution.decide(waiting.values(), patient=queue.patient), queue.work

    async def _given(
        self, session: AsyncSession, made: Sequence[Decision], stamp: Stamp
    ) -> list[Outcome]:
        """Return heads of the queue with the agents who were chosen for them."""
        chosen = {one.waiting_id: one for one in made}
        chats = await conversations.lock_all(session, list(chosen))
        waits = await clock.waiting_since(session, [one.id for one in chats])
        return [_assign(one, chosen[one.id], stamp, since=waits.get(one.id)) for one in chats]

    async def _assigned(
        self, session: AsyncSession, made: Sequence[Decision], stamp: Stamp
    ) -> list[Event]:
        """Give work items to the agents who were chosen; return what is told of it."""
        chosen = {one.waiting_id: one for one in made}
        items = await repository.lock_work(session, list(chosen))
        assigned = [assign_work(item, _agent(chosen[item.id]), stamp) for item in items]
        await repository.save_work(session, *[item for item, _ in assigned])
        return [event for _, event in assigned]


async def store(
    session: AsyncSession,
    outcomes: Sequence[Outcome],
    *,
    before: Sequence[Event] = (),
    others: Sequence[Event] = (),
    new: Collection[str] = frozenset(),
) -> None:
    """Store decisions and their events, between events of other things.

    Those that are `new` are inserted. What has no events has not changed.
    """
    changed = [one for one in outcomes if one.events]
    await conversations.add_all(
        session, [one.conversation for one in changed if one.conversation.id in new]
    )
    await conversations.save_all(
        session, [one.conversation for one in changed if one.conversation.id not in new]
    )
    await outbox.add(session, *before, *[event for one in changed for event in one.events], *others)


async def store_taken(session: AsyncSession, outcome: Outcome, stamp: Stamp) -> None:
    """Store that somebody took a conversation himself; among whom, nobody asked."""
    await store(session, [outcome])
    taken = outcome.conversation
    chosen = Decision(taken.id, taken.agent_id, Reason.TAKEN, ())
    kept = Kept(taken.shop_id, Reason.TAKEN)
    await repository.record(session, kept, [(stamp.ids.new(), chosen)], at=stamp.at)


def _joined(joining: Joining, decision: Decision, stamp: Stamp) -> Outcome:
    """Return it with its agent, or told to wait; its own events come first."""
    waiting, since = joining.conversation, joining.waits_since
    if decision.agent_id is None:
        after = announce(waiting, decision.reason, stamp, waits_since=since)
    else:
        after = _assign(waiting, decision, stamp, since=since)
    return Outcome(after.conversation, (*joining.outcome.events, *after.events))


def _assign(
    waiting: Conversation, decision: Decision, stamp: Stamp, *, since: datetime | None
) -> Outcome:
    return assign(waiting, _agent(decision), decision.reason, stamp=stamp, waits_since=since)


def _waiting(conversation: Conversation) -> Waiting:
    return Waiting(
        id=conversation.id,
        skill_group_id=conversation.skill_group_id,
        since=conversation.waiting_since or conversation.opened_at,
        priority=conversation.priority,
        preferred_agent_id=conversation.preferred_agent_id,
        avoided_agent_id=conversation.avoided_agent_id,
    )


def _agent(decision: Decision) -> PersonId:
    if decision.agent_id is None:
        raise ValueError("a decision for nobody is not carried out")
    return decision.agent_id
