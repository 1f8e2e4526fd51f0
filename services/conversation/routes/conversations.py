"""Routes about conversations: open, hand on, close, rate, and read what was said."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationState, PersonId, Role, ShopId
from kit.web.auth import Caller, Principal
from kit.web.idempotency import IdempotencyKey
from kit.web.paging import PAGE_DEFAULT, BadCursor, CursorText, Limit, Page
from services.conversation.domain.conversations import Conversation
from services.conversation.repository import conversations as stored
from services.conversation.repository.conversations import Filter
from services.conversation.routes import ABuyer, AnyStaff, Chatting, Directing, Shared, router
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
from services.conversation.service import history
from services.conversation.service.conversations import Conversations, view, views
from services.conversation.service.history import Histories, Reading

ConversationPath = Annotated[str, Path(max_length=64)]

Change = Callable[[AsyncSession], Awaitable[Conversation]]


@dataclass(frozen=True)
class Desk:
    """What the routes about conversations lean on."""

    shared: Shared
    conversations: Conversations
    histories: Histories

    async def change(
        self, caller: Principal, key: IdempotencyKey, conversation_id: str, change: Change
    ) -> Response:
        """Carry out a keyed change of a conversation and show what became of it."""

        async def command(session: AsyncSession) -> ConversationView:
            return await view(session, await change(session), caller)

        async with self.shared.watched(caller, conversation_id):
            return await self.shared.once(caller, key, command)


def routes(desk: Desk) -> APIRouter:
    """Return the routes under /v1/conversations and /v1/inbox."""
    api = router("conversations")
    _opening(api, desk)
    _listing(api, desk)
    _reading(api, desk)
    _working(api, desk)
    _ending(api, desk)
    return api


def _opening(api: APIRouter, desk: Desk) -> None:
    @api.post("/conversations", status_code=201, response_model=ConversationView)
    async def open_conversation(
        caller: ABuyer, key: IdempotencyKey, wish: NewConversation
    ) -> Response:
        """Open a conversation, or get the one that is open or was closed a moment ago."""

        async def command(session: AsyncSession) -> ConversationView:
            opened, _new = await desk.conversations.open(session, caller, wish)
            return await view(session, opened, caller)

        return await desk.shared.once(caller, key, command, status=201)


def _listing(api: APIRouter, desk: Desk) -> None:
    db, cursors = desk.shared.db, desk.shared.cursors

    @api.get("/conversations")
    async def list_conversations(
        *,
        caller: Caller,
        state: ConversationState | None = None,
        agent_id: Annotated[str | None, Query(pattern=_UUID)] = None,
        limit: Limit = PAGE_DEFAULT,
        cursor: CursorText = None,
    ) -> Page[ConversationView]:
        """List conversations, newest first: a buyer's own, or those of the caller's shop."""
        which = _filter(caller, state, agent_id)
        place = None
        if cursor is not None:
            place = _place(cursors.decode(cursor, caller.shop_id, list_name="conversations"))
        async with db.read() as session:
            found = await stored.page(session, which, after=place, limit=limit + 1)
            shown = await views(session, found[:limit], caller)
        following = None
        if len(found) > limit:
            last = {"at": found[limit - 1].opened_at.isoformat(), "id": found[limit - 1].id}
            following = cursors.encode(last, caller.shop_id, list_name="conversations")
        return Page(items=shown, next_cursor=following)


def _reading(api: APIRouter, desk: Desk) -> None:
    db = desk.shared.db

    @api.get("/conversations/{conversation_id}")
    async def read_conversation(
        caller: Caller, conversation_id: ConversationPath
    ) -> ConversationView:
        """Read one conversation."""
        async with desk.shared.watched(caller, conversation_id), db.read() as session:
            return await desk.histories.one(session, caller, conversation_id)

    @api.get("/conversations/{conversation_id}/messages", response_model=HistoryView)
    async def read_messages(
        *,
        caller: Caller,
        conversation_id: ConversationPath,
        limit: Limit = PAGE_DEFAULT,
        cursor: CursorText = None,
        order: Annotated[str, Query(pattern="^(asc|desc)$")] = "desc",
    ) -> Response:
        """Read what was said, by position in the log: newest first, or `order=asc`."""
        reading = Reading(limit=limit, cursor=cursor, ascending=order == "asc")
        async with desk.shared.watched(caller, conversation_id), db.read() as session:
            page = await desk.histories.page(session, caller, conversation_id, reading)
        return Response(msgspec.json.encode(page), media_type="application/json")

    @api.get("/conversations/{conversation_id}/decisions")
    async def read_decisions(caller: AnyStaff, conversation_id: ConversationPath) -> DecisionsView:
        """Read why routing chose whom it chose, newest first."""
        async with desk.shared.watched(caller, conversation_id), db.read() as session:
            return await desk.histories.decisions(session, caller, conversation_id)

    @api.get("/inbox")
    async def read_inbox(caller: Caller) -> InboxView:
        """Read one's open conversations and work, each with its version (H12)."""
        async with db.read() as session:
            return await history.inbox(session, caller)


def _working(api: APIRouter, desk: Desk) -> None:
    use = desk.conversations

    @api.post("/conversations/{conversation_id}/transfer", response_model=ConversationView)
    async def transfer_conversation(
        caller: Directing,
        key: IdempotencyKey,
        conversation_id: ConversationPath,
        wish: Transfer,
    ) -> Response:
        """Hand a conversation on to a colleague or a group; the note is mandatory (C11)."""
        return await desk.change(
            caller, key, conversation_id, lambda s: use.transfer(s, caller, conversation_id, wish)
        )

    @api.post("/conversations/{conversation_id}/stage", response_model=ConversationView)
    async def move_stage(
        caller: Chatting, key: IdempotencyKey, conversation_id: ConversationPath, wish: StageMove
    ) -> Response:
        """Move a conversation along the reception pipeline (C4)."""
        return await desk.change(
            caller, key, conversation_id, lambda s: use.move_stage(s, caller, conversation_id, wish)
        )


def _ending(api: APIRouter, desk: Desk) -> None:
    use = desk.conversations

    @api.post("/conversations/{conversation_id}/close", response_model=ConversationView)
    async def close_conversation(
        caller: Caller, key: IdempotencyKey, conversation_id: ConversationPath, wish: Close
    ) -> Response:
        """End a conversation; a later message of the buyer reopens it."""
        return await desk.change(
            caller, key, conversation_id, lambda s: use.close(s, caller, conversation_id, wish)
        )

    @api.post("/conversations/{conversation_id}/reopen", response_model=ConversationView)
    async def reopen_conversation(
        caller: Chatting, key: IdempotencyKey, conversation_id: ConversationPath
    ) -> Response:
        """Go on with a closed conversation."""
        return await desk.change(
            caller, key, conversation_id, lambda s: use.reopen(s, caller, conversation_id)
        )

    @api.post("/conversations/{conversation_id}/rating", response_model=ConversationView)
    async def rate_conversation(
        caller: ABuyer, key: IdempotencyKey, conversation_id: ConversationPath, wish: Rating
    ) -> Response:
        """Rate the service, once."""
        return await desk.change(
            caller, key, conversation_id, lambda s: use.rate(s, caller, conversation_id, wish)
        )


_UUID = r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"


def _filter(caller: Principal, state: ConversationState | None, agent_id: str | None) -> Filter:
    shop_id = ShopId(caller.shop_id)
    if caller.role == Role.BUYER:
        return Filter(shop_id, buyer_id=PersonId(caller.subject), state=state)
    agent = None if agent_id is None else PersonId(agent_id)
    return Filter(shop_id, agent_id=agent, state=state)


def _place(place: dict[str, object]) -> tuple[datetime, str]:
    match place:
        case {"at": str(at), "id": str(last)}:
            return datetime.fromisoformat(at), last
        case _:
            raise BadCursor
