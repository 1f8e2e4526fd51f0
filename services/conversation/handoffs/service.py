"""What somebody says to an offer, each one keyed command (N18).

Under the shop's turn like a go: of who answers, closes, takes or accepts, one is the owner.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kit.admission import Admission
from kit.errors import NotFound
from kit.idempotency import CommandKey
from kit.keyed import Command
from kit.web.auth import Principal
from services.conversation.conversations import clock as clocks
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation
from services.conversation.conversations.schemas import ConversationView
from services.conversation.conversations.views import view
from services.conversation.conversations.visibility import owner_of, visible
from services.conversation.domain import known_form
from services.conversation.handoffs import domain, repository
from services.conversation.handoffs.domain import AnsweredMeanwhile, Offer, OfferOver, OfferState
from services.conversation.routing import queues
from services.conversation.routing.service import Routing
from services.conversation.staff import repository as staff
from services.conversation.staff.domain import AT_DESK, AgentFull
from services.conversation.turns import Turns


@dataclass(frozen=True)
class Offers:
    """Use cases of whoever is asked."""

    turns: Turns
    admission: Admission
    routing: Routing

    async def accept(
        self, principal: Principal, conversation_id: str, offer_id: str, *, key: CommandKey
    ) -> ConversationView:
        """Make the caller its owner, if nobody has answered; what he accepted before stays his.

        Raises `AnsweredMeanwhile`, `OfferOver`, `AgentFull`.
        """
        async with self._begun(principal, conversation_id, offer_id, key=key) as (command, asked):
            offer, conversation = asked
            if offer.state is not OfferState.ACCEPTED or conversation.agent_id != principal.subject:
                conversation = await self._accepted(command, offer, conversation)
            return await command.keep(await view(command.session, conversation, principal))

    async def decline(
        self, principal: Principal, conversation_id: str, offer_id: str, *, key: CommandKey
    ) -> ConversationView:
        """Leave the buyer to others; an offer that is over stays as it is. Nobody counts it."""
        async with self._begun(principal, conversation_id, offer_id, key=key) as (command, asked):
            offer, conversation = asked
            if offer.state is OfferState.OPEN:
                session, stamp = command.session, self.routing.stamp()
                await repository.end(session, offer.id, OfferState.DECLINED, at=stamp.at)
                outcome = domain.end(offer, conversation, "declined", stamp=stamp)
                conversation = await self.routing.apply(session, outcome)
            return await command.keep(await view(command.session, conversation, principal))

    async def _accepted(
        self, command: Command, offer: Offer, conversation: Conversation
    ) -> Conversation:
        session, stamp = command.session, self.routing.stamp()
        if offer.state is OfferState.ANSWERED:
            raise AnsweredMeanwhile
        if offer.state is not OfferState.OPEN or offer.is_late(stamp.at):
            raise OfferOver
        since = (await clocks.waiting_since(session, [conversation.id])).get(conversation.id)
        ended = domain.ended_by(offer, conversation, since)
        if ended == "answered" or (ended is None and since is None):
            raise AnsweredMeanwhile
        agent = await staff.find_agent(session, offer.to_agent_id)
        if ended is not None or since is None or agent is None or agent.state not in AT_DESK:
            raise OfferOver
        load = await queues.load_of(session, agent.id)
        if load >= agent.capacity:
            raise AgentFull(load=load, capacity=agent.capacity)
        await repository.end(session, offer.id, OfferState.ACCEPTED, at=stamp.at)
        await repository.settle(session, [offer])
        outcome = domain.accept(offer, conversation, since, stamp=stamp)
        return await self.routing.free(session, outcome, "slot_free")

    @asynccontextmanager
    async def _begun(
        self, principal: Principal, conversation_id: str, offer_id: str, *, key: CommandKey
    ) -> AsyncIterator[tuple[Command, tuple[Offer, Conversation]]]:
        """Open a command on an offer to the caller, as it is now. Raises `NotFound` for others'."""
        async with (
            self.admission.watched(principal, conversation_id, owner_of),
            self.turns.keyed(key) as command,
        ):
            session, known = command.session, known_form(conversation_id)
            conversation = visible(await conversations.lock(session, known), principal)
            offer = await repository.find(session, known_form(offer_id), known)
            if offer is None or offer.to_agent_id != principal.subject:
                raise NotFound
            yield command, (offer, conversation)
