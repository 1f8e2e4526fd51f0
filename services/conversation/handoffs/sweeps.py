"""Asks colleagues for buyers whose agents have not answered, and ends what is over (N16, N17).

Any number of replicas may look: each step takes the shop's turn and looks again.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.handoffs import HandoffDue
from contracts.people import ConversationId, PersonId, ShopId
from kit.clock import Clock
from kit.errors import Unavailable
from kit.postgres import Database, DatabaseAway
from services.conversation.conversations import clock as clocks
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation, Outcome
from services.conversation.handoffs import domain, repository
from services.conversation.handoffs.domain import (
    AT_ONCE,
    GIVEN_UP,
    End,
    LongWait,
    Offer,
    OfferState,
)
from services.conversation.routing import queues
from services.conversation.routing.assignment import Candidate
from services.conversation.routing.service import Routing
from services.conversation.routing.sweeps import BEHIND_MOST, Through
from services.conversation.shops import repository as shops
from services.conversation.turns import Turns

log = structlog.get_logger()

IsTyping: TypeAlias = Callable[[ConversationId, PersonId], bool]
"""Tells whether somebody is about to answer."""


@dataclass(slots=True)
class Plan:
    """What is to be done in a shop at a moment, and the conversations that it is about."""

    known: Mapping[str, Conversation]
    ended: list[tuple[Offer, End]] = field(default_factory=list)
    over: list[LongWait] = field(default_factory=list)
    unplaced: list[LongWait] = field(default_factory=list)
    asked: list[tuple[LongWait, PersonId]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is."""
        return not (self.ended or self.over or self.unplaced or self.asked)


@dataclass(frozen=True)
class Offering:
    """Use cases of time, and of the monitor's word that it is time."""

    db: Database
    turns: Turns
    routing: Routing
    clock: Clock
    through: Through
    is_typing: IsTyping

    async def begin(self, due: HandoffDue) -> None:
        """Look for a colleague from now on; a wait that is known already stays as it is.

        What comes late, or is beyond its limit, is left to whoever takes buyers from the silent.
        """
        now = self.clock.now()
        if now >= due.breach_at - GIVEN_UP or now - due.time > domain.STALE:
            return
        wait = LongWait(
            shop_id=due.shop_id,
            conversation_id=due.conversation_id,
            from_agent_id=due.agent_id,
            seat_version=due.seat_version,
            waiting_since=due.waiting_since,
            breach_at=due.breach_at,
        )
        async with self.db.write(due.shop_id) as session:
            known = await conversations.find(session, due.conversation_id)
            timing = await shops.timing_of(session, due.shop_id)
            if known is None or known.shop_id != due.shop_id or timing.handoff.offer_s is None:
                return
            if not await repository.add_wait(session, wait):
                return
        try:
            await self.look_at(due.shop_id)
        except Unavailable as busy:  # the wait is kept: the next look finds it
            log.info("handoffs.shop_busy", shop_id=due.shop_id, reason=busy.slug)

    async def look(self) -> None:
        """Look at every shop in which somebody is looked for or asked."""
        async with self.db.read_across("in which shops buyers are offered") as session:
            found = await repository.shops(session)
        for shop_id in found:
            try:
                await self.look_at(shop_id)
            except DatabaseAway:
                raise
            except Unavailable as busy:
                log.warning("sweep.shop_left_out", shop_id=shop_id, reason=busy.slug)

    async def look_at(self, shop_id: ShopId) -> None:
        """Ask, and end, what is due in a shop. Its turn is taken only if something is."""
        async with self.db.read(shop_id) as session:
            if (await self._plan(session, shop_id, lock=False)).is_empty:
                return
        async with self.turns.write(shop_id) as session:
            await self._carry_out(session, await self._plan(session, shop_id, lock=True))

    async def _plan(self, session: AsyncSession, shop_id: ShopId, *, lock: bool) -> Plan:
        """Decide what is to be done; to do it, on conversations that nobody changes meanwhile."""
        now = self.clock.now()
        free = await self._free(session, shop_id, now)
        standing = await repository.standing(session, shop_id)
        before = datetime.max.replace(tzinfo=now.tzinfo) if free else now + GIVEN_UP
        wanted = await repository.wanted(session, shop_id, before=before, limit=AT_ONCE)
        ids = sorted({one.conversation_id for one in (*standing, *wanted)})
        read = conversations.lock_all if lock else conversations.find_all
        plan = Plan({one.id: one for one in await read(session, ids)})
        waits = await clocks.waiting_since(session, ids)
        for offer in standing:
            how = domain.ended_by(
                offer, plan.known[offer.conversation_id], waits.get(offer.conversation_id)
            )
            if how is not None or offer.is_late(now):
                plan.ended.append((offer, how or "expired"))
        waiting = []
        for wait in wanted:
            known = plan.known[wait.conversation_id]
            if domain.ended_by(wait, known, waits.get(wait.conversation_id)) is not None:
                plan.over.append(wait)
            else:
                waiting.append(wait)
        if waiting:
            await self._place(session, plan, waiting, free, now=now)
        return plan

    async def _place(
        self,
        session: AsyncSession,
        plan: Plan,
        waiting: Sequence[LongWait],
        free: Sequence[Candidate],
        *,
        now: datetime,
    ) -> None:
        """Choose for each of those who wait on whom to ask, if anybody; each is asked once."""
        tried = await repository.tried(session, waiting, now=now)
        overflow = await self._overflow(session, waiting[0].shop_id)
        asked: set[PersonId] = set()
        for wait in waiting:
            done, known = tried[wait.conversation_id], plan.known[wait.conversation_id]
            if wait.is_up(now) or done.is_enough:
                (plan.over if done.asked or done.is_enough else plan.unplaced).append(wait)
                continue
            if self.is_typing(wait.conversation_id, wait.from_agent_id):
                continue
            not_these: Collection[PersonId] = asked | done.asked | done.had | {wait.from_agent_id}
            chosen = domain.choice(
                known.skill_group_id, free, not_these, any_=now - wait.waiting_since >= overflow
            )
            if chosen is not None:
                asked.add(chosen.agent_id)
                plan.asked.append((wait, chosen.agent_id))

    async def _free(self, session: AsyncSession, shop_id: ShopId, now: datetime) -> list[Candidate]:
        """Return who may be asked, the best placed first; nobody while the archive is behind."""
        through = await self.through()
        if through is None or now - through > BEHIND_MOST:
            return []
        found = domain.best_placed(await queues.candidates(session, shop_id, everybody=False))
        people = [one.agent_id for one in found[:AT_ONCE]]
        unfit = await repository.unfit(session, shop_id, people, now=now)
        return [one for one in found[:AT_ONCE] if one.agent_id not in unfit]

    async def _overflow(self, session: AsyncSession, shop_id: ShopId) -> timedelta:
        return timedelta(seconds=(await shops.timing_of(session, shop_id)).overflow_s)

    async def _carry_out(self, session: AsyncSession, plan: Plan) -> None:
        stamp, told = self.routing.stamp(), dict(plan.known)
        outcomes: dict[str, list[Outcome]] = {}

        def tell(outcome: Outcome) -> None:
            told[outcome.conversation.id] = outcome.conversation
            outcomes.setdefault(outcome.conversation.id, []).append(outcome)

        for over, how in plan.ended:
            await repository.end(session, over.id, OfferState(how), at=stamp.at)
            tell(domain.end(over, told[over.conversation_id], how, stamp=stamp))
        for wait in plan.unplaced:
            tell(domain.give_up(told[wait.conversation_id], stamp))
        await repository.settle(session, [*plan.over, *plan.unplaced])
        made = []
        for wait, person in plan.asked:
            offer, outcome = domain.offer(wait, told[wait.conversation_id], person, stamp=stamp)
            made.append(offer)
            tell(outcome)
        await repository.add_offers(session, made)
        await self.routing.apply_all(session, [_joined(one) for one in outcomes.values()])
        if made:
            log.info("handoffs.offered", count=len(made))


def _joined(outcomes: Sequence[Outcome]) -> Outcome:
    """Return several decisions on one conversation as one."""
    return Outcome(outcomes[-1].conversation, tuple(e for one in outcomes for e in one.events))
