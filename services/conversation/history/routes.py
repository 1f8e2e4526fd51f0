"""Routes that read: conversations, what was said, what routing decided."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query, Response

from contracts.people import ConversationState, PersonId, Role
from kit.errors import Forbidden
from kit.web.auth import Caller
from kit.web.paging import PAGE_DEFAULT, CursorText, Limit, Page, Paging
from kit.web.preconditions import etag
from kit.web.problems import invalid
from kit.web.unchanged import etag_of, has
from services.conversation.access.routes import AnyStaff, ConversationPath, versioned
from services.conversation.archive.domain import Place
from services.conversation.conversations.schemas import ConversationView
from services.conversation.history.schemas import DecisionsView, HistoryView
from services.conversation.history.service import Histories, Listing, Reading
from services.conversation.lists.schemas import IDS_MOST, ListView
from services.conversation.lists.service import Lists

Direction = Annotated[str, Query(pattern="^(asc|desc)$")]

_POSITION = r"^\d{1,5}-\d{1,16}$"
_UUID = r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"


_IDS = rf"^{_UUID[1:-1]}(,{_UUID[1:-1]}){{0,{IDS_MOST - 1}}}$"


def _listing(router: APIRouter, histories: Histories, lists: Lists) -> None:
    @router.get(
        "/conversations",
        response_model=Page[ConversationView],
        responses={304: {"description": "What If-None-Match names still holds."}},
    )
    async def list_conversations(
        *,
        principal: Caller,
        view: ListView | None = None,
        ids: Annotated[str | None, Query(pattern=_IDS, max_length=37 * IDS_MOST)] = None,
        state: ConversationState | None = None,
        agent_id: Annotated[str | None, Query(pattern=_UUID)] = None,
        buyer_id: Annotated[PersonId | None, Query(pattern=_UUID)] = None,
        limit: Limit = PAGE_DEFAULT,
        cursor: CursorText = None,
        order: Direction = "desc",
        if_none_match: Annotated[str, Header()] = "",
    ) -> Page[ConversationView] | Response:
        """List conversations by when they were opened: one's own as a buyer, or the shop's.

        The newest come first, or with `order=asc` the oldest. Staff see each with its last words.
        For staff, `view` names a list that many look at, up to a second old, and `ids` 50 at most,
        with commas between them: each with since when its buyer waits, under an ETag. No other
        filter goes with these.
        """
        if view is not None or ids is not None:
            if principal.role == Role.BUYER:
                raise Forbidden
            given = {"state": state, "agent_id": agent_id, "buyer_id": buyer_id}
            _alone(given | {"ids": ids} if view is not None else given)
            if view is None:
                body = await lists.some(principal, (ids or "").split(","))
            else:
                body = await lists.page(principal, view, Paging(limit, cursor))
            return _tagged(body, if_none_match)
        listing = Listing(
            limit, cursor, state, agent_id, buyer_id=buyer_id, ascending=order == "asc"
        )
        return await histories.listed(principal, listing)


def _alone(given: Mapping[str, object]) -> None:
    """Refuse a filter that does not go with `view` or `ids`."""
    others = sorted(name for name, value in given.items() if value is not None)
    if others:
        raise invalid([{"loc": ("query", one), "msg": "not together"} for one in others])


def _tagged(body: bytes, if_none_match: str) -> Response:
    tag = etag_of(body)
    if has(if_none_match, tag):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, media_type="application/json", headers={"ETag": tag})


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
        at: Annotated[str | None, Query(pattern=_POSITION)] = None,
    ) -> Response:
        """Read what was said, by position in the log: newest first, or `order=asc`.

        `around` names an archived message, `at` a position as `generation-offset`: the page has it
        in its midst, and no cursor counts.
        """
        reading = Reading(limit=limit, cursor=cursor, ascending=order == "asc")
        midst: str | Place | None = around
        if midst is None and at is not None:
            generation, offset = map(int, at.split("-"))
            midst = generation, offset
        if midst is None:
            page = await histories.page(principal, conversation_id, reading)
        else:
            page = await histories.around(principal, conversation_id, midst, reading=reading)
        return Response(msgspec.json.encode(page), media_type="application/json")

    @router.get("/conversations/{conversation_id}/decisions")
    async def read_decisions(
        principal: AnyStaff, conversation_id: ConversationPath
    ) -> DecisionsView:
        """Read why routing chose whom it chose, newest first."""
        return await histories.decisions(principal, conversation_id)


def routes(histories: Histories, lists: Lists) -> APIRouter:
    """Return the routes under /v1/conversations that read."""
    router = versioned("conversations")
    _listing(router, histories, lists)
    _reading(router, histories)
    return router
