"""Conversations from the first hello to the rating: who may do what, and what follows from it.

The caller opens the transaction; the shop's lock comes first wherever an owner may change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import (
    CHATTING_STAFF,
    AgentState,
    ConversationId,
    ConversationState,
    OrderId,
    PersonId,
    Role,
    ShopId,
    SkillGroupId,
)
from kit.errors import Conflict, Forbidden, NotFound, Unprocessable
from kit.text import refuse_unstorable
from kit.web.auth import Principal
from services.conversation import stages
from services.conversation.domain import Stamp, known_form
from services.conversation.domain.conversations import (
    Conversation,
    HandOver,
    close,
    move_stage,
    open_conversation,
    rate,
    reopen,
    transfer,
)
from services.conversation.domain.people import Buyer, SkillGroup
from services.conversation.repository import conversations, people, routing
from services.conversation.schemas.conversations import (
    BuyerView,
    Close,
    ConversationView,
    NewConversation,
    Rating,
    StageMove,
    Transfer,
)
from services.conversation.service.routing import AT_DESK, Routing

LEADING_STAFF: Final = frozenset({Role.SUPERVISOR, Role.ADMIN})
"""They may act on a conversation that a colleague owns."""


FORCING_STAFF: Final = LEADING_STAFF | {Role.SENIOR}
"""They may hand on to a colleague beyond his capacity."""


class NotOwner(Forbidden):
    """Another agent has this conversation."""

    slug, title = "not_owner", "Another agent has this conversation"


class NoSkillGroup(Conflict):
    """The shop has nobody to route to."""

    slug, title = "no_skill_group", "The shop has no skill group yet"


class UnknownTarget(Unprocessable):
    """The transfer names nobody, two, or nobody of this shop."""

    slug, title = "unknown_target", "Name one agent or one skill group of this shop"


class AgentAway(Conflict):
    """The colleague does not receive buyers at this moment."""

    slug, title = "agent_away", "This colleague does not receive buyers now"


class AgentFull(Conflict):
    """The colleague has as many as he can take; a leader may `force`."""

    slug, title = "agent_full", "This colleague has no room now"


@dataclass(frozen=True)
class Conversations:
    """Use cases about conversations."""

    routing: Routing
    reopen_gap: timedelta

    async def open(
        self, session: AsyncSession, principal: Principal, wish: NewConversation
    ) -> tuple[Conversation, bool]:
        """Return the buyer's conversation, and whether it is new.

        An open one is returned as it is, one closed a moment ago goes on, else a new one begins.
        """
        shop_id = ShopId(principal.shop_id)
        refuse_unstorable(wish.product)
        refuse_unstorable(wish.order_id or "")
        await conversations.lock_shops(session, [shop_id])
        buyer = await people.find_buyer(session, principal.subject)
        if buyer is None or buyer.shop_id != shop_id:
            raise NotFound
        latest = await conversations.open_of_buyer(session, shop_id, buyer.id)
        if latest is not None and latest.state is not ConversationState.CLOSED:
            return latest, False
        stamp = self.routing.stamp()
        if latest is not None and self._continues(latest, stamp):
            again = reopen(latest, buyer.id, "buyer_contact", stamp)
            return await self.routing.place(session, again, "reopened"), False
        fresh = await self._fresh(session, buyer, wish, stamp)
        await conversations.add(session, fresh)
        opened = open_conversation(fresh, stamp)
        return await self.routing.place(session, opened, "opened"), True

    async def transfer(
        self, session: AsyncSession, principal: Principal, conversation_id: str, wish: Transfer
    ) -> Conversation:
        """Hand a conversation on. Raises `NotOwner`, `UnknownTarget`, `AgentAway`, `AgentFull`."""
        refuse_unstorable(wish.note)
        conversation = await self._lock_for_owner(session, principal, conversation_id)
        if wish.force and principal.role not in FORCING_STAFF:
            raise Forbidden("Only a leader hands on beyond a colleague's capacity.")
        agent_id, group_id = await self._target(session, conversation, wish)
        over = HandOver(agent_id, group_id, wish.note, PersonId(principal.subject))
        outcome = transfer(conversation, over, self.routing.stamp())
        if outcome.conversation.state is ConversationState.QUEUED:
            return await self.routing.place(session, outcome, "transferred")
        moved = await self.routing.apply(session, outcome)
        await self.routing.fill(session, moved.shop_id, "slot_free")
        return moved

    async def close(
        self, session: AsyncSession, principal: Principal, conversation_id: str, wish: Close
    ) -> Conversation:
        """End a conversation: its agent, a leader, or the buyer himself."""
        refuse_unstorable(wish.reason)
        by_buyer = principal.role == Role.BUYER
        lock = self._lock_visible if by_buyer else self._lock_for_owner
        conversation = await lock(session, principal, conversation_id)
        by = PersonId(principal.subject)
        outcome = close(conversation, by, wish.reason, self.routing.stamp())
        closed = await self.routing.apply(session, outcome)
        if outcome.events:
            await self.routing.fill(session, closed.shop_id, "slot_free")
        return closed

    async def reopen(
        self, session: AsyncSession, principal: Principal, conversation_id: str
    ) -> Conversation:
        """Go on with a closed conversation, unless the buyer has another one open."""
        conversation = await self._lock_visible(session, principal, conversation_id)
        if conversation.state is not ConversationState.CLOSED:
            return conversation
        if await conversations.open_of(session, conversation.buyer_id):
            raise Conflict("The buyer has another conversation open: go on there.")
        by = PersonId(principal.subject)
        outcome = reopen(conversation, by, "staff", self.routing.stamp())
        return await self.routing.place(session, outcome, "reopened")

    async def move_stage(
        self, session: AsyncSession, principal: Principal, conversation_id: str, wish: StageMove
    ) -> Conversation:
        """Record a step of the reception pipeline."""
        conversation = await self._lock_for_owner(session, principal, conversation_id)
        stages.check(conversation.stage, wish.stage)
        stamp = self.routing.stamp()
        outcome = move_stage(conversation, wish.stage, stamp)
        moved = await self.routing.apply(session, outcome)
        if outcome.events:
            await conversations.record_stage(session, conversation.stage, moved, stamp.at)
        return moved

    async def rate(
        self, session: AsyncSession, principal: Principal, conversation_id: str, wish: Rating
    ) -> Conversation:
        """Record the buyer's score."""
        conversation = await self._lock_visible(session, principal, conversation_id)
        return await self.routing.apply(
            session, rate(conversation, wish.score, self.routing.stamp())
        )

    def _continues(self, latest: Conversation, stamp: Stamp) -> bool:
        return latest.closed_at is not None and stamp.at - latest.closed_at < self.reopen_gap

    async def _fresh(
        self, session: AsyncSession, buyer: Buyer, wish: NewConversation, stamp: Stamp
    ) -> Conversation:
        groups = await people.groups_of_shop(session, buyer.shop_id)
        return Conversation(
            id=ConversationId(stamp.ids.new()),
            shop_id=buyer.shop_id,
            buyer_id=buyer.id,
            skill_group_id=_group_for(wish, groups),
            state=ConversationState.QUEUED,
            opened_at=stamp.at,
            waiting_since=stamp.at,
            priority=buyer.tier,
            subject=wish.product,
            order_id=None if wish.order_id is None else OrderId(wish.order_id),
        )

    async def _target(
        self, session: AsyncSession, conversation: Conversation, wish: Transfer
    ) -> tuple[PersonId | None, SkillGroupId]:
        if (wish.to_agent is None) == (wish.to_group is None):
            raise UnknownTarget
        if wish.to_group is not None:
            for group in await people.groups_of_shop(session, conversation.shop_id):
                if group.code == wish.to_group:
                    return None, group.id
            raise UnknownTarget
        agent = await people.find_agent(session, known_form(wish.to_agent or ""))
        if agent is None or agent.shop_id != conversation.shop_id or not agent.active:
            raise UnknownTarget
        if agent.role not in CHATTING_STAFF or agent.state not in AT_DESK:
            raise AgentAway(state=agent.state or AgentState.OFFLINE)
        load = await routing.load_of(session, agent.id)
        if load >= agent.capacity and agent.id != conversation.agent_id and not wish.force:
            raise AgentFull(load=load, capacity=agent.capacity)
        skilled = conversation.skill_group_id in agent.skill_group_ids
        theirs = agent.skill_group_ids[:1] or (conversation.skill_group_id,)
        return agent.id, conversation.skill_group_id if skilled else theirs[0]

    async def _lock_visible(
        self, session: AsyncSession, principal: Principal, conversation_id: str
    ) -> Conversation:
        await conversations.lock_shops(session, [ShopId(principal.shop_id)])
        found = await conversations.lock(session, known_form(conversation_id))
        return visible(found, principal)

    async def _lock_for_owner(
        self, session: AsyncSession, principal: Principal, conversation_id: str
    ) -> Conversation:
        conversation = await self._lock_visible(session, principal, conversation_id)
        owns = conversation.agent_id == principal.subject
        if not owns and principal.role not in LEADING_STAFF:
            raise NotOwner
        return conversation


def visible(found: Conversation | None, principal: Principal) -> Conversation:
    """Return the conversation if the caller may know of it; else `NotFound`, as if it were not.

    Staff see their whole shop, for they read what colleagues wrote (C11); buyers see their own.
    """
    if found is None or not may_see(found, principal):
        raise NotFound
    return found


def may_see(found: Conversation, principal: Principal) -> bool:
    """Tell whether the caller may know of the conversation."""
    if principal.role == Role.BUYER:
        return found.buyer_id == principal.subject
    return found.shop_id == principal.shop_id


async def is_foreign(session: AsyncSession, principal: Principal, conversation_id: str) -> bool:
    """Tell whether a refused caller asked for something that exists and is not his."""
    try:
        found = await conversations.find(session, known_form(conversation_id))
    except NotFound:
        return False
    return found is not None and not may_see(found, principal)


async def views(
    session: AsyncSession, found: Sequence[Conversation], principal: Principal
) -> list[ConversationView]:
    """Show conversations to somebody who may see them, with what he may see of their buyers."""
    buyers = await people.find_buyers(session, [one.buyer_id for one in found])
    return [_view(one, buyers.get(one.buyer_id) or _nobody(one), principal) for one in found]


async def view(
    session: AsyncSession, found: Conversation, principal: Principal
) -> ConversationView:
    """Show one conversation."""
    return (await views(session, [found], principal))[0]


def _nobody(found: Conversation) -> Buyer:
    """Return a buyer without a profile: a missing row must not hide a shop's other chats."""
    return Buyer(id=found.buyer_id, shop_id=found.shop_id, name="")


def _view(found: Conversation, buyer: Buyer, principal: Principal) -> ConversationView:
    works_with = principal.subject in {found.agent_id, found.buyer_id}
    shown = buyer if works_with else buyer.masked()
    return ConversationView(
        id=found.id,
        shop_id=found.shop_id,
        buyer_id=found.buyer_id,
        buyer=BuyerView(
            id=buyer.id,
            name=shown.name,
            external_id=shown.external_id if works_with else None,
            phone=shown.phone,
            address=shown.address,
            masked=not works_with,
        ),
        skill_group_id=found.skill_group_id,
        state=found.state,
        stage=found.stage,
        version=found.version,
        assignment_version=found.assignment_version,
        agent_id=found.agent_id,
        subject=found.subject,
        order_id=found.order_id,
        opened_at=found.opened_at,
        waiting_since=found.waiting_since,
        closed_at=found.closed_at,
        score=found.score,
    )


def _group_for(wish: NewConversation, groups: Sequence[SkillGroup]) -> SkillGroupId:
    """Choose the group by what the buyer says, else by whether he has an order (C1)."""
    known = {group.code: group.id for group in groups}
    if not known:
        raise NoSkillGroup
    usual = "in_sale" if wish.order_id is not None else "pre_sale"
    if wish.topic is not None and wish.topic not in known:
        raise Unprocessable("The shop has no such topic.", topics=sorted(known))
    return known.get(wish.topic or usual) or known[min(known)]
