"""Gives free places to whoever is first in line: asks the queue, has it decided, carries it out.

Decides nothing itself (`assignment` does) and opens no transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.base import Event
from contracts.people import PersonId, ShopId
from kit import outbox
from kit.clock import Clock
from kit.ids import Ids
from services.conversation.conversations import clock
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation, Outcome, assign
from services.conversation.domain import Stamp
from services.conversation.routing import queues, repository
from services.conversation.routing.assignment import Decision, Distribution
from services.conversation.routing.domain import assign_work
from services.conversation.routing.repository import Kept
from services.conversation.routing.seniors import Seniors
from services.conversation.shops import repository as shops


@dataclass(frozen=True, slots=True)
class Go:
    """What a go gave away: how much in all, and the conversations by their ids, as they are now."""

    distribution: Distribution
    count: int = 0
    given: Mapping[str, Conversation] = field(default_factory=dict)


class Distributor:
    """One go through a shop's queue at a time, in the transaction that has the shop's turn."""

    def __init__(self, clock: Clock, ids: Ids, seniors: Seniors) -> None:
        self._clock = clock
        self._ids = ids
        self._seniors = seniors

    async def go(
        self, session: AsyncSession, shop_id: ShopId, trigger: str, *, named: Sequence[str] = ()
    ) -> Go:
        """Give the shop's free places to whoever is first in line.

        Overdue work takes seniors' places before that. Where nobody has room the queue is not
        looked at (H39). `named` are seen wherever they stand: who had one of these before may have
        room for them alone.
        """
        now, known = self._clock.now(), await queues.candidates(session, shop_id)
        distribution = Distribution(known, now=now)
        joined = await self._seniors.bring(session, shop_id, distribution, trigger)
        places = distribution.places()
        if not places.count:
            return Go(distribution, joined)
        patient = now - await _patience(session, shop_id)
        queue = await queues.heads(session, shop_id, places, patient=patient, named=named)
        decisions = distribution.decide(queue.waiting, patient=patient)
        made = [one for one in decisions if one.agent_id is not None]
        if not made:
            return Go(distribution, joined)
        given = await self._carry_out(session, made, queue.work)
        await self.record(session, Kept(shop_id, trigger, queue.work), made)
        return Go(distribution, joined + len(made), {one.id: one for one in given})

    async def record(
        self, session: AsyncSession, kept: Kept, decisions: Iterable[Decision]
    ) -> None:
        """Keep why who got what, or got nothing."""
        made = [(self._ids.new(), one) for one in decisions]
        await repository.record(session, kept, made, at=self._clock.now())

    async def _carry_out(
        self, session: AsyncSession, made: Sequence[Decision], work: frozenset[str]
    ) -> list[Conversation]:
        chosen = {one.waiting_id: one for one in made}
        stamp = Stamp(self._clock.now(), self._ids)
        chats = await conversations.lock_all(session, sorted(chosen.keys() - work))
        waits = await clock.waiting_since(session, [one.id for one in chats])
        outcomes = []
        for one in chats:
            agent, reason = _agent(chosen[one.id]), chosen[one.id].reason
            outcomes.append(assign(one, agent, reason, stamp=stamp, waits_since=waits.get(one.id)))
        items = await repository.lock_work(session, sorted(chosen.keys() & work))
        assigned = [assign_work(item, _agent(chosen[item.id]), stamp) for item in items]
        await repository.save_work(session, *[item for item, _ in assigned])
        await store(session, outcomes, [event for _, event in assigned])
        await repository.note_assigned(session, sorted(set(map(_agent, made))), stamp.at)
        return [outcome.conversation for outcome in outcomes]


async def store(
    session: AsyncSession, outcomes: Sequence[Outcome], others: Sequence[Event] = ()
) -> None:
    """Store decisions and their events, and events of other things beside them."""
    await conversations.save_all(session, [one.conversation for one in outcomes])
    await outbox.add(session, *[event for one in outcomes for event in one.events], *others)


async def _patience(session: AsyncSession, shop_id: ShopId) -> timedelta:
    """Return the wait after which every group of the shop helps."""
    timing = await shops.timing_of(session, shop_id)
    return timedelta(seconds=timing.overflow_s)


def _agent(decision: Decision) -> PersonId:
    if decision.agent_id is None:
        raise ValueError("a decision for nobody is not carried out")
    return decision.agent_id
