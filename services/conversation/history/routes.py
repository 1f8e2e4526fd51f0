"""Routes that read: conversations, what was said, what routing decided."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from contracts.people import ConversationState, PersonId
from kit.web.auth import Caller
from kit.web.paging import PAGE_DEFAULT, CursorText, Limit, Page
from kit.web.preconditions import etag
from services.conversation.access.routes import AnyStaff, ConversationPath, versioned
from services.conversation.conversations.schemas import ConversationView
from services.conversation.history.schemas import DecisionsView, HistoryView
from services.conversation.history.service import Histories, Listing, Reading

Direction = Annotated[str, Query(pattern="^(asc|desc)$")]

_UUID = r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"


def _listing(router: APIRouter, histories: Histories) -> None:
    @router.get("/conversations")
    async def list_conversations(
        *,
        principal: Caller,
        state: ConversationState | None = None,
        agent_id: Annotated[str | None, Query(pattern=_UUID)] = None,
        buyer_id: Annotated[PersonId | None, Query(pattern=_UUID)] = None,
        limit: Limit = PAGE_DEFAULT,
        cursor: CursorText = None,
        order: Direction = "desc",
    ) -> Page[ConversationView]:
        """List conversations by when they were opened: one's own as a buyer, or the shop's.

        The newest come first, or with `order=asc` the oldest. Staff see each with its last words.
        """
        listing = Listing(
            limit, cursor, state, agent_id, buyer_id=buyer_id, ascending=order == "asc"
        )
        return await histories.listed(principal, listing)


def _reading(router: APIRouter, histories: Histories) -> None:
    @router.get("/conversations/{conversation_id}")
    async def read_conversation(
        principal: Caller, conversation_id: ConversationPath, response: Response
    ) -> ConversationView:
        """Read one conversation; its ETag is what taking it wants as If-Match."""
        found = await histories.one(principal, conversation_id)
        response.headers["ETag"] = etag(found.version)
        return found

    @router.get("/conversations/{conversation_id}/messages", response_model=HistoryView)
    async def read_messages(
        *,
        principal: Caller,
        conversation_id: ConversationPath,
        limit: Limit = PAGE_DEFAULT,
        cursor: CursorText = None,
        order: Direction = "desc",
        around: Annotated[str | None, Query(pattern=_UUID)] = None,
    ) -> Response:
        """Read what was said, by position in the log: newest first, or `order=asc`.

        `around` names an archived message: the page has it in its midst, and no cursor counts.
        """
        reading = Reading(limit=limit, cursor=cursor, ascending=order == "asc")
        if around is None:
            page = await histories.page(principal, conversation_id, reading)
        else:
            page = await histories.around(principal, conversation_id, around, reading=reading)
        return Response(msgspec.json.encode(page), media_type="application/json")

    @router.get("/conversations/{conversation_id}/decisions")
    async def read_decisions(
        principal: AnyStaff, conversation_id: ConversationPath
    ) -> DecisionsView:
        """Read why routing chose whom it chose, newest first."""
        return await histories.decisions(principal, conversation_id)


def routes(histories: Histories) -> APIRouter:
    """Return the routes under /v1/conversations that read."""
    router = versioned("conversations")
    _listing(router, histories)
    _reading(router, histories)
    return router
