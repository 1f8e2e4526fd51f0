"""Taking a conversation oneself and giving it back, each one keyed command (F11).

Under the shop's turn like a go: of two who take, or of one and routing, one is the owner.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationState, PersonId
from kit.admission import Admission
from kit.audit import Audit
from kit.errors import Forbidden, PreconditionFailed
from kit.idempotency import CommandKey
from kit.keyed import Command
from kit.text import refuse_unstorable
from kit.web.auth import Principal
from kit.web.preconditions import etag
from services.conversation.conversations import clock
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation, ConversationIsClosed
from services.conversation.conversations.handing import Take, give_back, take
from services.conversation.conversations.schemas import ConversationView
from services.conversation.conversations.views import view
from services.conversation.conversations.visibility import owner_of, visible
from services.conversation.domain import known_form
from services.conversation.reception.domain import FORCING_STAFF, NotOwner, mode_of_taking
from services.conversation.reception.schemas import GiveBack, Taking
from services.conversation.routing import queues
from services.conversation.routing.service import Routing
from services.conversation.staff import repository as staff
from services.conversation.turns import Turns


@dataclass(frozen=True)
class Takings:
    """Use cases of whoever wants a conversation, or wants it no longer."""

    turns: Turns
    admission: Admission
    routing: Routing
    audit: Audit

    async def take(
        self,
        principal: Principal,
        conversation_id: str,
        body: Taking,
        *,
        version: int,
        key: CommandKey,
    ) -> ConversationView:
        """Make the caller its owner; one that is his already stays as it is.

        `version` is the one that he saw (If-Match): where somebody was faster, `PreconditionFailed`
        names him. Raises `ConversationIsClosed`, `NoteMissing`, and as `mode_of_taking` does.
        """
        async with self._begun(principal, conversation_id, key) as (command, found):
            refuse_unstorable(body.note)
            conversation = found
            if conversation.agent_id != principal.subject:
                _ensure_unchanged(conversation, version)
                conversation = await self._taken(command.session, principal, conversation, body)
            return await command.keep(await view(command.session, conversation, principal))

    async def give_back(
        self, principal: Principal, conversation_id: str, body: GiveBack, *, key: CommandKey
    ) -> ConversationView:
        """Return the caller's conversation to the queue; who waits there already goes on waiting.

        Raises `NotOwner`, `ConversationIsClosed`.
        """
        async with self._begun(principal, conversation_id, key) as (command, found):
            refuse_unstorable(body.note)
            conversation = found
            if conversation.agent_id not in {None, principal.subject}:
                raise NotOwner
            session = command.session
            since = (await clock.waiting_since(session, [conversation.id])).get(conversation.id)
            outcome = give_back(conversation, body.note, self.routing.stamp(), waits_since=since)
            if outcome.events:
                conversation = await self.routing.place(session, outcome, "given_back", since=since)
            return await command.keep(await view(session, conversation, principal))

    @asynccontextmanager
    async def _begun(
        self, principal: Principal, conversation_id: str, key: CommandKey
    ) -> AsyncIterator[tuple[Command, Conversation]]:
        async with (
            self.admission.watched(principal, conversation_id, owner_of),
            self.turns.keyed(key) as command,
        ):
            found = await conversations.lock(command.session, known_form(conversation_id))
            yield command, visible(found, principal)

    async def _taken(
        self, session: AsyncSession, principal: Principal, conversation: Conversation, body: Taking
    ) -> Conversation:
        if body.force and principal.role not in FORCING_STAFF:
            raise Forbidden("Only a leader takes more than his capacity.")
        me = await staff.find_agent(session, principal.subject)
        if me is None:
            raise Forbidden
        load = await queues.load_of(session, me.id)
        mode = mode_of_taking(conversation, me, load, force=body.force)
        waits = await clock.waiting_since(session, [conversation.id])
        outcome = take(
            conversation,
            Take(PersonId(principal.subject), mode, body.note),
            self.routing.stamp(),
            waits_since=waits.get(conversation.id),
        )
        if conversation.agent_id is None:
            return await self.routing.take(session, outcome)
        await self.audit.note(
            session, principal, "conversation.taken_over", conversation.id, note=body.note
        )
        return await self.routing.free(session, outcome, "slot_free")


def _ensure_unchanged(conversation: Conversation, version: int) -> None:
    if conversation.state is ConversationState.CLOSED:
        raise ConversationIsClosed
    if conversation.version != version:
        raise PreconditionFailed(
            "Read it again and decide anew.",
            current=etag(conversation.version),
            agent_id=conversation.agent_id,
        )
