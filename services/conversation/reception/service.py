"""Conversations from the first hello to the rating: who may do what, and what follows from it.

The shop's turn comes first wherever an owner may change.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import (
    CHATTING_STAFF,
    AgentState,
    ConversationState,
    PersonId,
    Role,
    SkillGroupId,
)
from kit.admission import Admission
from kit.errors import Conflict, Forbidden
from kit.idempotency import CommandKey
from kit.keyed import Command
from kit.postgres import Database
from kit.text import refuse_unstorable
from kit.web.auth import Principal
from services.conversation.conversations import clock
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import (
    Conversation,
    close,
    move_stage,
    rate,
    reopen,
)
from services.conversation.conversations.handing import HandOver, transfer
from services.conversation.conversations.schemas import ConversationView
from services.conversation.conversations.views import view
from services.conversation.conversations.visibility import owner_of, visible
from services.conversation.domain import known_form
from services.conversation.groups import repository as skill_groups
from services.conversation.reception import stages
from services.conversation.reception.domain import (
    FORCING_STAFF,
    LEADING_STAFF,
    AgentAway,
    NotOwner,
    UnknownTarget,
)
from services.conversation.reception.schemas import (
    Close,
    Rating,
    StageMove,
    Transfer,
)
from services.conversation.routing import queues
from services.conversation.routing.service import Routing
from services.conversation.staff import repository as staff
from services.conversation.staff.domain import AT_DESK, AgentFull
from services.conversation.turns import Turns


@dataclass(frozen=True)
class Conversations:
    """Use cases about conversations, each one keyed command."""

    db: Database
    turns: Turns
    admission: Admission
    routing: Routing

    async def transfer(
        self, principal: Principal, conversation_id: str, body: Transfer, *, key: CommandKey
    ) -> ConversationView:
        """Hand a conversation on. Raises `NotOwner`, `UnknownTarget`, `AgentAway`, `AgentFull`."""
        async with self._begun(principal, conversation_id, key) as command:
            session = command.session
            refuse_unstorable(body.note)
            conversation = await self._lock_for_owner(session, principal, conversation_id)
            if body.force and principal.role not in FORCING_STAFF:
                raise Forbidden("Only a leader hands on beyond a colleague's capacity.")
            agent_id, group_id = await self._target(session, conversation, body)
            over = HandOver(agent_id, group_id, body.note, PersonId(principal.subject))
            waits = await clock.waiting_since(session, [conversation.id])
            outcome = transfer(
                conversation,
                over,
                self.routing.stamp(),
                waits_since=waits.get(conversation.id),
            )
            if outcome.conversation.state is ConversationState.QUEUED:
                moved = await self.routing.place(
                    session, outcome, "transferred", since=waits.get(conversation.id)
                )
            else:
                moved = await self.routing.free(session, outcome, "slot_free")
            return await _shown(command, moved, principal)

    async def close(
        self, principal: Principal, conversation_id: str, body: Close, *, key: CommandKey
    ) -> ConversationView:
        """End a conversation: its agent, a leader, or the buyer himself."""
        async with self._begun(principal, conversation_id, key) as command:
            session = command.session
            refuse_unstorable(body.reason)
            by_buyer = principal.role == Role.BUYER
            lock = self._lock_visible if by_buyer else self._lock_for_owner
            conversation = await lock(session, principal, conversation_id)
            by = PersonId(principal.subject)
            outcome = close(conversation, by, body.reason, stamp=self.routing.stamp())
            if outcome.events:
                await self.routing.free(session, outcome, "slot_free")
            return await _shown(command, outcome.conversation, principal)

    async def reopen(
        self, principal: Principal, conversation_id: str, *, key: CommandKey
    ) -> ConversationView:
        """Go on with a closed conversation, unless the buyer has another one open."""
        async with self._begun(principal, conversation_id, key) as command:
            session = command.session
            conversation = await self._lock_visible(session, principal, conversation_id)
            if conversation.state is ConversationState.CLOSED:
                if await conversations.open_of(session, conversation.buyer_id):
                    raise Conflict("The buyer has another conversation open: go on there.")
                by = PersonId(principal.subject)
                outcome = reopen(conversation, by, "staff", stamp=self.routing.stamp())
                waits = await clock.waiting_since(session, [conversation.id])
                conversation = await self.routing.place(
                    session, outcome, "reopened", since=waits.get(conversation.id)
                )
            return await _shown(command, conversation, principal)

    async def move_stage(
        self, principal: Principal, conversation_id: str, body: StageMove, *, key: CommandKey
    ) -> ConversationView:
        """Record a step of the reception pipeline."""
        async with self._begun(principal, conversation_id, key, routes=False) as command:
            session = command.session
            conversation = await self._lock_for_owner(session, principal, conversation_id)
            stages.check(conversation.stage, body.stage)
            stamp = self.routing.stamp()
            outcome = move_stage(conversation, body.stage, stamp)
            moved = await self.routing.apply(session, outcome)
            if outcome.events:
                await conversations.record_stage(session, conversation.stage, moved, stamp.at)
            return await _shown(command, moved, principal)

    async def rate(
        self, principal: Principal, conversation_id: str, body: Rating, *, key: CommandKey
    ) -> ConversationView:
        """Record the buyer's score."""
        async with self._begun(principal, conversation_id, key, routes=False) as command:
            session = command.session
            conversation = await self._lock_visible(session, principal, conversation_id)
            outcome = rate(conversation, body.score, self.routing.stamp())
            rated = await self.routing.apply(session, outcome)
            return await _shown(command, rated, principal)

    @asynccontextmanager
    async def _begun(
        self, principal: Principal, conversation_id: str, key: CommandKey, *, routes: bool = True
    ) -> AsyncIterator[Command]:
        """Open a command on a conversation that the caller names.

        One that `routes` changes who owns what, and needs the shop's turn. Of the others each locks
        its conversation and nothing else, so they wait for nobody's turn.
        """
        begun = self.turns.keyed(key) if routes else self.db.keyed(key)
        async with (
            self.admission.watched(principal, conversation_id, owner_of),
            begun as command,
        ):
            yield command

    async def _target(
        self, session: AsyncSession, conversation: Conversation, body: Transfer
    ) -> tuple[PersonId | None, SkillGroupId]:
        if (body.to_agent is None) == (body.to_group is None):
            raise UnknownTarget
        if body.to_group is not None:
            for group in await skill_groups.groups_of_shop(session, conversation.shop_id):
                if group.code == body.to_group:
                    return None, group.id
            raise UnknownTarget
        agent = await staff.find_agent(session, known_form(body.to_agent or ""))
        if agent is None or agent.shop_id != conversation.shop_id or not agent.active:
            raise UnknownTarget
        if agent.role not in CHATTING_STAFF or agent.state not in AT_DESK:
            raise AgentAway(state=agent.state or AgentState.OFFLINE)
        load = await queues.load_of(session, agent.id)
        if load >= agent.capacity and agent.id != conversation.agent_id and not body.force:
            raise AgentFull(load=load, capacity=agent.capacity)
        skilled = conversation.skill_group_id in agent.skill_group_ids
        theirs = agent.skill_group_ids[:1] or (conversation.skill_group_id,)
        return agent.id, conversation.skill_group_id if skilled else theirs[0]

    async def _lock_visible(
        self, session: AsyncSession, principal: Principal, conversation_id: str
    ) -> Conversation:
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


async def _shown(
    command: Command, conversation: Conversation, principal: Principal
) -> ConversationView:
    """Keep, as the command's answer, what became of the conversation."""
    return await command.keep(await view(command.session, conversation, principal))
