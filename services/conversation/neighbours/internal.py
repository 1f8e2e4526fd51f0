"""What neighbours ask on the admin port: seats, inboxes and archived messages. Never for clients.

The gateway says for whom it asks; the service token says that it is the gateway.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from contracts.frames import REPLAY_LIMIT
from contracts.people import ConversationId, Role
from contracts.topics import CHAT
from kit.bus.ports import Producer
from kit.web.auth import Principal
from services.conversation.archive.domain import Place
from services.conversation.history.schemas import Attached, FoundMessage
from services.conversation.history.service import Histories
from services.conversation.inbox.schemas import InboxView
from services.conversation.inbox.service import Inboxes
from services.conversation.watches.service import Watches

Subject = Annotated[str, Query(min_length=1, max_length=64)]
After = Annotated[str | None, Query(pattern=r"^\d{1,5},\d{1,18}$")]
Replayed = Annotated[int, Query(ge=1, le=REPLAY_LIMIT)]


class Wanted(BaseModel):
    """Of which conversations a gateway asks where they stand."""

    model_config = ConfigDict(extra="forbid")

    ids: tuple[UUID, ...] = Field(max_length=200)


def routes(
    histories: Histories, inboxes: Inboxes, watches: Watches, *, producer: Producer
) -> APIRouter:
    """Return the routes under /internal; `producer` knows which partition a key belongs to."""
    router = APIRouter()

    async def home_of(conversation_id: str) -> int:
        return await producer.partition_for(CHAT.name, conversation_id.encode())

    @router.get("/conversations/{conversation_id}/attach")
    async def attach(
        *,
        conversation_id: str,
        subject: Subject,
        role: Role,
        shop: Subject,
        after: After = None,
        limit: Replayed = REPLAY_LIMIT,
    ) -> Response:
        """Return all that is needed to seat somebody, of one moment (H11)."""
        whom, partition = _whom(subject, role, shop), await home_of(conversation_id)
        attached = await histories.attach(
            whom, conversation_id, partition=partition, after=_place(after), limit=limit
        )
        return _seated(attached, partial(watches.note, whom, conversation_id))

    @router.get("/inbox/{subject}", response_model=InboxView)
    async def inbox(
        *, subject: str, role: Role, shop: Subject, rows: bool = False
    ) -> InboxView | Response:
        """Return a person's open conversations and work (H12), with `rows` to go on from (F4)."""
        whom = _whom(subject, role, shop)
        if not rows or role == Role.BUYER:
            return await inboxes.read(whom)
        return _json(await inboxes.watched(whom, home_of))

    @router.post("/heads", response_model=None)
    async def heads(wanted: Wanted) -> Response:
        """Return where conversations stand for who owns them, to go on from (F4)."""
        return _json(await inboxes.rows([ConversationId(str(one)) for one in wanted.ids], home_of))

    @router.get("/messages/{message_id}")
    async def message(message_id: str) -> FoundMessage:
        """Return how a message id stands in the archive (H3); 404 if it does not."""
        return await histories.message(message_id)

    return router


def _seated(attached: Attached, noted: Callable[[], Awaitable[None]]) -> Response:
    """Answer; that somebody only watches is noted behind the answer."""
    answer = _json(attached)
    if attached.seat == "watcher":
        answer.background = BackgroundTask(noted)
    return answer


def _json(found: object) -> Response:
    return Response(msgspec.json.encode(found), media_type="application/json")


def _whom(subject: str, role: Role, shop: str) -> Principal:
    """Return the person for whom the gateway asks; it has checked his token."""
    ever = datetime(1970, 1, 1, tzinfo=UTC)
    return Principal(
        subject=subject,
        role=role,
        shop_id=shop,
        name="",
        jti="",
        issued_at=ever,
        expires_at=ever,
    )


def _place(after: str | None) -> Place | None:
    if after is None:
        return None
    generation, offset = after.split(",")
    return int(generation), int(offset)
