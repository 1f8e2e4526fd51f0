"""What was said: pages of the archive, and the one snapshot that a gateway seats somebody by (H11).

Reads only; the order of everything is the position in the log.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.base import event_types, rfc3339
from contracts.frames import REPLAY_LIMIT
from contracts.people import ConversationId, ConversationState, PersonId, Role, ShopId
from contracts.topics import CHAT
from contracts.visibility import BUYER_TYPES, HIDDEN_FROM_BUYERS
from kit import positions
from kit.admission import Admission
from kit.errors import NotFound
from kit.postgres import Database
from kit.web import paging
from kit.web.auth import Principal
from kit.web.paging import Cursors, Page
from services.conversation.archive import repository as archive
from services.conversation.archive.domain import Place
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation
from services.conversation.conversations.repository import Filter
from services.conversation.conversations.schemas import ConversationView, HeadView
from services.conversation.conversations.views import for_buyer, view, views
from services.conversation.conversations.visibility import owner_of, visible
from services.conversation.domain import known_form
from services.conversation.history import repository
from services.conversation.history.schemas import (
    Attached,
    CandidateView,
    DecisionsView,
    DecisionView,
    FoundMessage,
    History,
    Item,
    Mark,
    Member,
    ReadUpTo,
)
from services.conversation.markers import repository as markers
from services.conversation.routing import repository as routing

DECISIONS_SHOWN: Final = 50
"""Of a conversation's decisions the latest are shown."""

LIST: Final = "conversations"
"""Cursors of the list of conversations are of no other list."""

BY_OPENING: Final[paging.Order[Conversation, tuple[datetime, str]]] = paging.by_time(
    lambda one: one.opened_at
)


def _position(kept: Mapping[str, Any]) -> Place:
    generation, offset = kept["p"]
    return int(generation), int(offset)


BY_POSITION: Final[paging.Order[Row[Any], Place]] = paging.Order(
    lambda row: {"p": [row.generation, row.log_offset]}, _position
)
"""A conversation's records go by their place in the log."""


@dataclass(frozen=True)
class Listing:
    """Which conversations are asked for, and which page of them."""

    limit: int
    cursor: str | None = None
    state: ConversationState | None = None
    agent_id: str | None = None
    buyer_id: PersonId | None = None
    ascending: bool = False


@dataclass(frozen=True)
class Reading:
    """What a caller asks of a history: towards the past unless `ascending`."""

    limit: int
    cursor: str | None = None
    ascending: bool = False


@dataclass(frozen=True)
class Histories:
    """Use cases that read, in one snapshot each."""

    db: Database
    admission: Admission
    cursors: Cursors

    async def listed(self, principal: Principal, listing: Listing) -> Page[ConversationView]:
        """Return a page of conversations, newest first: a buyer's own, or the shop's.

        Staff see each with its last words, as far as they are archived.
        """
        shop_id, which = principal.shop_id, _filter(principal, listing)
        name = f"{LIST}:up" if listing.ascending else LIST
        query = paging.page(self.cursors, listing, by=BY_OPENING, shop_id=shop_id, list_name=name)
        async with self.db.read(shop_id) as session:
            found = await conversations.page(session, which, after=query.after, limit=query.limit)
            shown, next_cursor = query.cut(found)
            seen = await views(session, shown, principal)
            if principal.role != Role.BUYER:
                seen = await _with_heads(session, seen)
        return Page(items=seen, next_cursor=next_cursor)

    async def page(self, principal: Principal, conversation_id: str, reading: Reading) -> History:
        """Return a page of a conversation: from the end backwards, or from the start onwards.

        Raises `NotFound` for somebody else's, `BadCursor`.
        """
        types = shown_types(principal.role)
        async with self._watched(principal, conversation_id) as (session, conversation):
            known, direction = conversation.id, "up" if reading.ascending else "down"
            query = paging.page(
                self.cursors,
                reading,
                by=BY_POSITION,
                shop_id=conversation.shop_id,
                list_name=f"messages:{known}:{direction}",
            )
            if reading.ascending:
                start = query.after or (0, -1)
                rows = await repository.after(session, known, start, types=types, limit=query.limit)
            else:
                rows = await repository.before(
                    session, known, query.after, types=types, limit=query.limit
                )
        shown, next_cursor = query.cut(rows)
        return History(items=items(shown, known, principal.role), next_cursor=next_cursor)

    async def around(
        self, principal: Principal, conversation_id: str, midst: str | Place, *, reading: Reading
    ) -> History:
        """Return a page with a message, or a place in the log, in its midst; it goes on both ways.

        Raises `NotFound` for somebody else's, and for a message of another conversation.
        """
        async with self._watched(principal, conversation_id) as (session, conversation):
            known, behind = conversation.id, (reading.limit - 1) // 2
            upto = reading.limit - behind  # of those up to the message, which is the first of them
            types, most = shown_types(principal.role), (upto, behind)
            if isinstance(midst, str):
                older, newer = await repository.beside(
                    session, known, known_form(midst), types=types, most=most
                )
            else:
                older, newer = await repository.at_place(
                    session, known, midst, types=types, most=most
                )
        if not older:
            raise NotFound
        shown = [*reversed(newer[:behind]), *older[:upto]]

        def cursor(direction: str, row: Row[Any], *, is_there: bool) -> str | None:
            if not is_there:
                return None
            name, place = f"messages:{known}:{direction}", BY_POSITION.keep(row)
            return self.cursors.encode(place, conversation.shop_id, list_name=name)

        up = cursor("up", shown[0], is_there=len(newer) > behind)
        down = cursor("down", shown[-1], is_there=len(older) > upto)
        rows = shown[::-1] if reading.ascending else shown
        ahead, back = (up, down) if reading.ascending else (down, up)
        return History(items(rows, known, principal.role), ahead, back)

    async def one(self, principal: Principal, conversation_id: str) -> ConversationView:
        """Return one conversation. Raises `NotFound` for somebody else's."""
        async with self._watched(principal, conversation_id) as (session, conversation):
            shown = for_buyer if principal.role == Role.BUYER else view
            return await shown(session, conversation, principal)

    async def decisions(self, principal: Principal, conversation_id: str) -> DecisionsView:
        """Return the latest decisions of routing on a conversation."""
        async with self._watched(principal, conversation_id) as (session, conversation):
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
        types = shown_types(principal.role)
        async with self.db.read(principal.shop_id) as session:
            conversation = await _find(session, principal, conversation_id)
            shown = await view(session, conversation, principal)
            home = await _home(session, conversation)
            rows, resync = await _replay(session, conversation.id, after, types=types, limit=limit)
            reached = await _mark(session, partition)
            read = await _read(session, conversation)
        return Attached(
            conversation=msgspec.Raw(shown.model_dump_json().encode()),
            seat=_seat(conversation, principal),
            members=_members(conversation),
            version=conversation.version,
            assignment_version=conversation.assignment_version,
            mark=reached,
            items=items(rows, conversation.id, principal.role),
            read=read,
            resync=resync,
            continue_in=home,
        )

    async def message(self, message_id: str) -> FoundMessage:
        """Return how a message id stands in the archive (H3). Raises `NotFound`."""
        known = known_form(message_id)
        async with self.db.read_across("a message id names no shop") as session:
            first = (await archive.first_of(session, [known])).get(known)
        if first is None:
            raise NotFound
        return FoundMessage(found=True, body_hash=first.body_hash, position=first.place)

    @asynccontextmanager
    async def _watched(
        self, principal: Principal, conversation_id: str
    ) -> AsyncIterator[tuple[AsyncSession, Conversation]]:
        """Open a snapshot in which the caller sees a conversation. Raises `NotFound`."""
        async with (
            self.admission.watched(principal, conversation_id, owner_of),
            self.db.read(principal.shop_id) as session,
        ):
            yield session, await _find(session, principal, conversation_id)


async def _with_heads(
    session: AsyncSession, seen: Sequence[ConversationView]
) -> list[ConversationView]:
    heads = await archive.heads(session, [ConversationId(one.id) for one in seen])
    found = [heads.get(ConversationId(one.id)) for one in seen]
    return [
        one if head is None else one.model_copy(update={"head": HeadView.of(head)})
        for one, head in zip(seen, found, strict=True)
    ]


async def _find(session: AsyncSession, principal: Principal, conversation_id: str) -> Conversation:
    found = await conversations.find(session, known_form(conversation_id))
    return visible(found, principal)


async def _home(session: AsyncSession, conversation: Conversation) -> ConversationId | None:
    """Return where a buyer is served whose conversation is closed, if anywhere (H30)."""
    if conversation.state is not ConversationState.CLOSED:
        return None
    buyers = [conversation.buyer_id]
    opened = await conversations.open_of_buyers(session, conversation.shop_id, buyers)
    return opened[0].id if opened else None


async def _mark(session: AsyncSession, partition: int) -> Mark:
    """Return the archive's mark of a partition; where nothing is archived yet it is offset 0."""
    return Mark(
        partition=partition,
        generation=await archive.newest_generation(session, CHAT.name),
        offset=await positions.mark(session, topic=CHAT.name, partition=partition),
    )


async def _read(session: AsyncSession, conversation: Conversation) -> ReadUpTo:
    buyer, owner = conversation.buyer_id, conversation.agent_id
    people = [buyer] if owner is None else [buyer, owner]
    found = await markers.of(session, conversation.id, people)
    return ReadUpTo(found.get(buyer), None if owner is None else found.get(owner))


def shown_types(role: str) -> Collection[str]:
    """Return the types of records that somebody sees: staff all that are known, a buyer his own.

    They are left out by the query, so that a page of fifty has fifty. What a newer release wrote is
    shown to nobody: which of its fields are staff's own, it alone knows.
    """
    return BUYER_TYPES if role == Role.BUYER else event_types().keys()


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
    session: AsyncSession,
    conversation_id: ConversationId,
    after: Place | None,
    *,
    types: Collection[str],
    limit: int,
) -> tuple[Sequence[Row[Any]], bool]:
    if after is None:
        latest = await repository.before(session, conversation_id, None, types=types, limit=limit)
        return latest[::-1], False
    rows = await repository.after(session, conversation_id, after, types=types, limit=limit + 1)
    return ([], True) if len(rows) > limit else (rows, False)


def _body(row: Row[Any], role: str) -> msgspec.Raw:
    hidden = HIDDEN_FROM_BUYERS.get(row.type) if role == Role.BUYER else None
    if not hidden:
        return msgspec.Raw(row.body.encode())
    fields: dict[str, object] = msgspec.json.decode(row.body)
    kept = {name: value for name, value in fields.items() if name not in hidden}
    return msgspec.Raw(msgspec.json.encode(kept))


def _filter(principal: Principal, listing: Listing) -> Filter:
    shop_id = ShopId(principal.shop_id)
    if principal.role == Role.BUYER:
        mine = PersonId(principal.subject)
        return Filter(shop_id, buyer_id=mine, state=listing.state, ascending=listing.ascending)
    agent = None if listing.agent_id is None else PersonId(listing.agent_id)
    return Filter(
        shop_id, listing.buyer_id, agent, state=listing.state, ascending=listing.ascending
    )


def _seat(conversation: Conversation, principal: Principal) -> str:
    if principal.role == Role.BUYER:
        return "buyer"
    return "owner" if conversation.agent_id == principal.subject else "watcher"


def _members(conversation: Conversation) -> list[Member]:
    members = [Member(conversation.buyer_id, Role.BUYER)]
    if conversation.agent_id is not None:
        members.append(Member(conversation.agent_id, Role.AGENT))
    return members
