"""Routes that change a conversation: open, hand on, move along, close, rate."""

from fastapi import APIRouter

from kit.web.auth import Caller
from kit.web.idempotency import IdempotencyKey, VersionedKey
from kit.web.preconditions import IfMatch
from services.conversation.access.routes import (
    ABuyer,
    Chatting,
    CommandLimits,
    ConversationPath,
    Directing,
    versioned,
)
from services.conversation.conversations.schemas import ConversationView
from services.conversation.reception.opening import Openings
from services.conversation.reception.schemas import (
    Close,
    GiveBack,
    NewConversation,
    Rating,
    StageMove,
    Taking,
    Transfer,
)
from services.conversation.reception.service import Conversations
from services.conversation.reception.taking import Takings


def routes(
    openings: Openings, conversations: Conversations, takings: Takings, *, limits: CommandLimits
) -> APIRouter:
    """Return the routes under /v1/conversations that change one."""
    router = versioned("conversations")
    _opening(router, openings, limits)
    _working(router, conversations, limits)
    _taking(router, takings, limits)
    _ending(router, conversations, limits)
    return router


def _opening(router: APIRouter, openings: Openings, limits: CommandLimits) -> None:
    @router.post("/conversations", status_code=201)
    async def open_conversation(
        principal: ABuyer, key: IdempotencyKey, body: NewConversation
    ) -> ConversationView:
        """Open a conversation, or get the one that is open or was closed a moment ago."""
        limits.spend(principal)
        return await openings.open(principal, body, key=key)


def _working(router: APIRouter, conversations: Conversations, limits: CommandLimits) -> None:
    @router.post("/conversations/{conversation_id}/transfer")
    async def transfer_conversation(
        *,
        principal: Directing,
        key: IdempotencyKey,
        conversation_id: ConversationPath,
        body: Transfer,
    ) -> ConversationView:
        """Hand a conversation on to a colleague or a group; the note is mandatory."""
        limits.spend(principal)
        return await conversations.transfer(principal, conversation_id, body, key=key)

    @router.post("/conversations/{conversation_id}/stage")
    async def move_stage(
        *,
        principal: Chatting,
        key: IdempotencyKey,
        conversation_id: ConversationPath,
        body: StageMove,
    ) -> ConversationView:
        """Move a conversation along the reception pipeline."""
        limits.spend(principal)
        return await conversations.move_stage(principal, conversation_id, body, key=key)


def _taking(router: APIRouter, takings: Takings, limits: CommandLimits) -> None:
    @router.post("/conversations/{conversation_id}/take")
    async def take_conversation(
        *,
        principal: Chatting,
        version: IfMatch,
        key: VersionedKey,
        conversation_id: ConversationPath,
        body: Taking,
    ) -> ConversationView:
        """Take a buyer who waits; or, as a leader and with a note, one whom a colleague serves."""
        limits.spend(principal)
        return await takings.take(principal, conversation_id, body, version=version, key=key)

    @router.post("/conversations/{conversation_id}/give-back")
    async def give_back_conversation(
        *,
        principal: Chatting,
        key: VersionedKey,
        conversation_id: ConversationPath,
        body: GiveBack,
    ) -> ConversationView:
        """Give one's conversation back: who had it before is asked first."""
        limits.spend(principal)
        return await takings.give_back(principal, conversation_id, body, key=key)


def _ending(router: APIRouter, conversations: Conversations, limits: CommandLimits) -> None:
    @router.post("/conversations/{conversation_id}/close")
    async def close_conversation(
        *, principal: Caller, key: IdempotencyKey, conversation_id: ConversationPath, body: Close
    ) -> ConversationView:
        """End a conversation; a later message of the buyer reopens it."""
        limits.spend(principal)
        return await conversations.close(principal, conversation_id, body, key=key)

    @router.post("/conversations/{conversation_id}/reopen")
    async def reopen_conversation(
        principal: Chatting, key: IdempotencyKey, conversation_id: ConversationPath
    ) -> ConversationView:
        """Go on with a closed conversation."""
        limits.spend(principal)
        return await conversations.reopen(principal, conversation_id, key=key)

    @router.post("/conversations/{conversation_id}/rating")
    async def rate_conversation(
        *, principal: ABuyer, key: IdempotencyKey, conversation_id: ConversationPath, body: Rating
    ) -> ConversationView:
        """Rate the service, once."""
        limits.spend(principal)
        return await conversations.rate(principal, conversation_id, body, key=key)
