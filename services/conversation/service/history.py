"""What was said: pages of the archive, and the one snapshot that a gateway seats somebody by (H11).

Reads only; the order of everything is the position in the log.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.base import rfc3339
from contracts.frames import HIDDEN_FROM_BUYERS, REPLAY_LIMIT
from contracts.people import ConversationId, PersonId, Role
from contracts.topics import CHAT
from kit import positions
from kit.errors import NotFound
from kit.web.auth import Principal
from kit.web.paging import BadCursor, Cursors
from services.conversation.domain import known_form
from services.conversation.domain.conversations import Conversation
from services.conversation.repository import archive, conversations, routing
from services.conversation.repository.archive import Place
from services.conversation.schemas.conversations import (
    CandidateView,
    ConversationView,
    DecisionsView,
    DecisionView,
    InboxView,
    WorkView,
)
from services.conversation.schemas.history import (
    Attached,
    FoundMessage,
    History,
    Item,
    Mark,
    Member,
)
from services.conversation.service.conversations import view, views, visible

DECISIONS_SHOWN: Final = 50
"""Of a conversation's decisions the latest are shown."""


@dataclass(frozen=True)
class Reading:
    """What a caller asks of a history: towards the past unless `ascending`."""

    limit: int
    cursor: str | None = None
    ascending: bool = False


@dataclass(frozen=True)
class Histories:
    """Use cases that read; the caller opens a snapshot (`db.read()`)."""

    cursors: Cursors

    async def page(
        self, session: AsyncSession, principal: Principal, conversation_id: str, reading: Reading
    ) -> History:
        """Return a page of a conversation: from the end backwards, or from the start onwards.

        Raises `NotFound` for somebody else's, `BadCursor`.
        """
        found = await conversations.find(session, known_form(conversation_id))
        conversation = visible(found, principal)
        direction = "up" if reading.ascending else "down"
        list_name = f"messages:{conversation.id}:{direction}"
        place = self._place(reading.cursor, conversation.shop_id, list_name)
        more = reading.limit + 1
        if reading.ascending:
            rows = await archive.after(session, conversation.id, place or (0, -1), limit=more)
        else:
            rows = await archive.before(session, conversation.id, place, limit=more)
        shown, cursor = rows[: reading.limit], None
        if len(rows) > reading.limit:
            last = [shown[-1].generation, shown[-1].log_offset]
            cursor = self.cursors.encode({"p": last}, conversation.shop_id, list_name=list_name)
        return History(items=items(shown, conversation.id, principal.role), next_cursor=cursor)

    async def one(
        self, session: AsyncSession, principal: Principal, conversation_id: str
    ) -> ConversationView:
        """Return one conversation. Raises `NotFound` for somebody else's."""
        found = await conversations.find(session, known_form(conversation_id))
        return await view(session, visible(found, principal), principal)

    async def decisions(
        self, session: AsyncSession, principal: Principal, conversation_id: str
    ) -> DecisionsView:
        """Return the latest decisions of routing on a conversation."""
        found = await conversations.find(session, known_form(conversation_id))
        conversation = visible(found, principal)
        rows = await routing.decisions_on(session, conversation.id, DECISIONS_SHOWN)
        return DecisionsView(
            items=tuple(
                DecisionView(
                    id=row.id,
                    at=row.at,
                    trigger=row.trigger,
                    reason=row.reason,
                    agent_id=row.agent_id,
                    candidates=tuple(CandidateView(**one) for one in row.candidates),
                )
                for row in rows
            )
        )

    async def attach(
        self,
        session: AsyncSession,
        principal: Principal,
        conversation_id: str,
        *,
        partition: int,
        after: Place | None,
        limit: int = REPLAY_LIMIT,
    ) -> Attached:
        """Return members, versions, mark and history as of one moment.

        Without `after` the latest `limit` records, else all that follow it; more than `limit` of
        these are not replayed but answered by `resync`. Raises `NotFound`.
        """
        found = await conversations.find(session, known_form(conversation_id))
        conversation = visible(found, principal)
        shown = await view(session, conversation, principal)
        rows, resync = await _replay(session, conversation.id, after, limit)
        return Attached(
            conversation=msgspec.Raw(shown.model_dump_json().encode()),
            seat=_seat(conversation, principal),
            members=_members(conversation),
            version=conversation.version,
            assignment_version=conversation.assignment_version,
            mark=await mark(session, partition),
            items=items(rows, conversation.id, principal.role),
            resync=resync,
        )

    def _place(self, cursor: str | None, shop_id: str, list_name: str) -> Place | None:
        if cursor is None:
            return None
        place = self.cursors.decode(cursor, shop_id, list_name=list_name).get("p")
        match place:
            case [int(generation), int(offset)]:
                return generation, offset
            case _:
                raise BadCursor


async def inbox(session: AsyncSession, principal: Principal) -> InboxView:
    """Return the caller's open conversations and work, each with its version (H12)."""
    person = PersonId(principal.subject)
    if principal.role == Role.BUYER:
        mine = await conversations.open_of(session, person)
        return InboxView(conversations=tuple(await views(session, mine, principal)), work=())
    mine = await conversations.owned_by(session, person)
    work = tuple(
        WorkView(
            id=item.id,
            kind=item.kind,
            order_id=item.order_id,
            buyer_id=item.buyer_id,
            due_at=item.due_at,
            version=item.version,
        )
        for item in await routing.work_of(session, person)
    )
    return InboxView(conversations=tuple(await views(session, mine, principal)), work=work)


async def find_message(session: AsyncSession, message_id: str) -> FoundMessage:
    """Return how a message id stands in the archive (H3). Raises `NotFound` if it does not."""
    known = known_form(message_id)
    first = (await archive.first_of(session, [known])).get(known)
    if first is None:
        raise NotFound
    return FoundMessage(found=True, body_hash=first.body_hash, position=first.place)


async def mark(session: AsyncSession, partition: int) -> Mark:
    """Return the archive's mark of a partition; where nothing is archived yet it is offset 0."""
    return Mark(
        partition=partition,
        generation=await archive.newest_generation(session, CHAT.name),
        offset=await positions.mark(session, topic=CHAT.name, partition=partition),
    )


def items(rows: Iterable[Row[Any]], conversation_id: str, role: str) -> list[Item]:
    """Show archived records as frames show them, to a buyer without what is staff's own."""
    stream = f"conv:{conversation_id}"
    return [
        Item(
            s=stream,
            position=(row.generation, row.log_offset),
            id=str(row.message_id),
            type=row.type,
            time=rfc3339(row.time),
            d=_body(row, role),
            archived_at=rfc3339(row.archived_at),
            late=row.late,
        )
        for row in rows
    ]


async def _replay(
    session: AsyncSession, conversation_id: ConversationId, after: Place | None, limit: int
) -> tuple[Sequence[Row[Any]], bool]:
    if after is None:
        latest = await archive.before(session, conversation_id, None, limit=limit)
        return latest[::-1], False
    rows = await archive.after(session, conversation_id, after, limit=limit + 1)
    return ([], True) if len(rows) > limit else (rows, False)


def _body(row: Row[Any], role: str) -> msgspec.Raw:
    hidden = HIDDEN_FROM_BUYERS.get(row.type) if role == Role.BUYER else None
    if not hidden:
        return msgspec.Raw(row.body.encode())
    fields: dict[str, object] = msgspec.json.decode(row.body)
    kept = {name: value for name, value in fields.items() if name not in hidden}
    return msgspec.Raw(msgspec.json.encode(kept))


def _seat(conversation: Conversation, principal: Principal) -> str:
    if principal.role == Role.BUYER:
        return "buyer"
    return "owner" if conversation.agent_id == principal.subject else "watcher"


def _members(conversation: Conversation) -> list[Member]:
    members = [Member(conversation.buyer_id, Role.BUYER)]
    if conversation.agent_id is not None:
        members.append(Member(conversation.agent_id, Role.AGENT))
    return members
