"""Routes about conversations: open, hand on, close, rate, and read what was said."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Response

from contracts.people import ConversationState
from kit.web.auth import Caller
from kit.web.idempotency import IdempotencyKey
from kit.web.paging import PAGE_DEFAULT, CursorText, Limit, Page
from services.conversation.routes import (
    ABuyer,
    AnyStaff,
    Chatting,
    CommandLimits,
    Directing,
    versioned,
)
from services.conversation.schemas.conversations import (
    Close,
    ConversationView,
    DecisionsView,
    InboxView,
    NewConversation,
    Rating,
    StageMove,
    Transfer,
)
from services.conversation.schemas.history import HistoryView
from services.conversation.service.conversations import Conversations
from services.conversation.service.history import Histories, Listing, Reading

_UUID = r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"

ConversationPath = Annotated[str, Path(max_length=64)]


def routes(conversations: Conversations, histories: Histories, limits: CommandLimits) -> APIRouter:
    """Return the routes under /v1/conversations and /v1/inbox."""
    router = versioned("conversations")
    _opening(router, conversations, limits)
    _listing(router, histories)
    _reading(router, histories)
    _working(router, conversations, limits)
    _ending(router, conversations, limits)
    return router


def _opening(router: APIRouter, conversations: Conversations, limits: CommandLimits) -> None:
    @router.post("/conversations", status_code=201)
    async def open_conversation(
        principal: ABuyer, key: IdempotencyKey, body: NewConversation
    ) -> ConversationView:
        """Open a conversation, or get the one that is open or was closed a moment ago."""
        limits.spend(principal)
        return await conversations.open(principal, body, key=key)


def _listing(router: APIRouter, histories: Histories) -> None:
    @router.get("/conversations")
    async def list_conversations(
        *,
        principal: Caller,
        state: ConversationState | None = None,
        agent_id: Annotated[str | None, Query(pattern=_UUID)] = None,
        limit: Limit = PAGE_DEFAULT,
        cursor: CursorText = None,
    ) -> Page[ConversationView]:
        """List conversations, newest first: a buyer's own, or those of the caller's shop."""
        return await histories.listed(principal, Listing(limit, cursor, state, agent_id))

    @router.get("/inbox")
    async def read_inbox(principal: Caller) -> InboxView:
        """Read one's open conversations and work, each with its version (H12)."""
        return await histories.inbox(principal)


def _reading(router: APIRouter, histories: Histories) -> None:
    @router.get("/conversations/{conversation_id}")
    async def read_conversation(
        principal: Caller, conversation_id: ConversationPath
    ) -> ConversationView:
        """Read one conversation."""
        return await histories.one(principal, conversation_id)

    @router.get("/conversations/{conversation_id}/messages", response_model=HistoryView)
    async def read_messages(
        *,
        principal: Caller,
        conversation_id: ConversationPath,
        limit: Limit = PAGE_DEFAULT,
        cursor: CursorText = None,
        order: Annotated[str, Query(pattern="^(asc|desc)$")] = "desc",
    ) -> Response:
        """Read what was said, by position in the log: newest first, or `order=asc`."""
        reading = Reading(limit=limit, cursor=cursor, ascending=order == "asc")
        page = await histories.page(principal, conversation_id, reading)
        return Response(msgspec.json.encode(page), media_type="application/json")

    @router.get("/conversations/{conversation_id}/decisions")
    async def read_decisions(
        principal: AnyStaff, conversation_id: ConversationPath
    ) -> DecisionsView:
        """Read why routing chose whom it chose, newest first."""
        return await histories.decisions(principal, conversation_id)


def _working(router: APIRouter, conversations: Conversations, limits: CommandLimits) -> None:
    @router.post("/conversations/{conversation_id}/transfer")
    async def transfer_conversation(
        principal: Directing,
        key: IdempotencyKey,
        conversation_id: ConversationPath,
        body: Transfer,
    ) -> ConversationView:
        """Hand a conversation on to a colleague or a group; the note is mandatory (C11)."""
        limits.spend(principal)
        return await conversations.transfer(principal, conversation_id, body, key=key)

    @router.post("/conversations/{conversation_id}/stage")
    async def move_stage(
        principal: Chatting, key: IdempotencyKey, conversation_id: ConversationPath, body: StageMove
    ) -> ConversationView:
        """Move a conversation along the reception pipeline (C4)."""
        limits.spend(principal)
        return await conversations.move_stage(principal, conversation_id, body, key=key)


def _ending(router: APIRouter, conversations: Conversations, limits: CommandLimits) -> None:
    @router.post("/conversations/{conversation_id}/close")
    async def close_conversation(
        principal: Caller, key: IdempotencyKey, conversation_id: ConversationPath, body: Close
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
        principal: ABuyer, key: IdempotencyKey, conversation_id: ConversationPath, body: Rating
    ) -> ConversationView:
        """Rate the service, once."""
        limits.spend(principal)
        return await conversations.rate(principal, conversation_id, body, key=key)
