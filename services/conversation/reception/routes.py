"""Routes that change a conversation: open, hand on, move along, close, rate."""

from fastapi import APIRouter

from kit.web.auth import Caller
from kit.web.idempotency import IdempotencyKey
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
    NewConversation,
    Rating,
    StageMove,
    Transfer,
)
from services.conversation.reception.service import Conversations


def routes(openings: Openings, conversations: Conversations, limits: CommandLimits) -> APIRouter:
    """Return the routes under /v1/conversations that change one."""
    router = versioned("conversations")
    _opening(router, openings, limits)
    _working(router, conversations, limits)
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
