"""What somebody has in hand, read in one snapshot; for the gateway with what it goes on from."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.clock import Clock
from contracts.heads import UNREAD
from contracts.people import ConversationId, PersonId, Role
from contracts.topics import CHAT
from kit import positions
from kit.postgres import Database
from kit.web.auth import Principal
from services.conversation.archive import repository as archive
from services.conversation.archive.domain import Head
from services.conversation.conversations import clock
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation
from services.conversation.conversations.schemas import ConversationView, HeadView, RoundView
from services.conversation.conversations.views import views
from services.conversation.handoffs import repository as handoffs
from services.conversation.inbox import repository
from services.conversation.inbox.repository import Seen
from services.conversation.inbox.schemas import (
    Inbox,
    InboxView,
    OfferView,
    Row,
    Rows,
    SubjectView,
    WorkView,
)
from services.conversation.routing import repository as routing
from services.conversation.routing.domain import WorkItem

HomeOf: TypeAlias = Callable[[str], Awaitable[int]]
"""Given a conversation's id, answers the partition that its log stands in."""

Stands: TypeAlias = Mapping[ConversationId, "Stand"]

_CONVERSATIONS: Final = TypeAdapter(tuple[ConversationView, ...])
_WORK: Final = TypeAdapter(tuple[WorkView, ...])
_OFFERS: Final = TypeAdapter(tuple[OfferView, ...])


class Stand(NamedTuple):
    """Where a conversation stands for its owner, as far as it is archived."""

    conversation: Conversation
    head: Head | None
    clock: Clock
    seen: Seen


class Marks(NamedTuple):
    """Up to where the log is archived, in the generation that its offsets belong to."""

    generation: int
    offsets: Mapping[int, int]


@dataclass(frozen=True)
class Inboxes:
    """Use cases that read what is in people's hands."""

    db: Database

    async def read(self, principal: Principal) -> InboxView:
        """Return the caller's open conversations and work, each with its version (H12).

        Staff see each with its last words, since when its buyer waits, and what is new to them.
        """
        person = PersonId(principal.subject)
        async with self.db.read(principal.shop_id) as session:
            if principal.role != Role.BUYER:
                return await _of_staff(session, principal, await _held(session, person))
            mine = await conversations.open_of(session, person)
            return InboxView(conversations=tuple(await views(session, mine, principal)), work=())

    async def watched(self, principal: Principal, home_of: HomeOf) -> Inbox:
        """Return the inbox of one of staff for a gateway, which keeps its rows up to date (F4)."""
        async with self.db.read(principal.shop_id) as session:
            stands = await _held(session, PersonId(principal.subject))
            shown = await _of_staff(session, principal, stands)
            marks = await _marks(session)
        return Inbox(
            msgspec.Raw(_CONVERSATIONS.dump_json(shown.conversations)),
            msgspec.Raw(_WORK.dump_json(shown.work)),
            await _rows(stands, marks, home_of),
            msgspec.Raw(_OFFERS.dump_json(shown.offers)),
        )

    async def rows(self, ids: Sequence[ConversationId], home_of: HomeOf) -> Rows:
        """Return where these conversations stand for who owns them now (F4)."""
        async with self.db.read_across("a gateway's people are of many shops") as session:
            found = await conversations.find_all(session, ids)
            stands = await _stands(session, [one for one in found if one.agent_id is not None])
            marks = await _marks(session)
        return Rows(await _rows(stands, marks, home_of))


async def _held(session: AsyncSession, person: PersonId) -> Stands:
    return await _stands(session, await conversations.owned_by(session, person))


async def _stands(session: AsyncSession, owned: Sequence[Conversation]) -> Stands:
    ids = [one.id for one in owned]
    heads = await archive.heads(session, ids)
    clocks = await clock.clocks(session, ids)
    seen = await repository.seen(session, {one.id: one.agent_id for one in owned if one.agent_id})
    return {
        one.id: Stand(one, heads.get(one.id), clocks[one.id], seen[one.id])
        for one in owned
        if one.id in seen
    }


async def _of_staff(session: AsyncSession, principal: Principal, stands: Stands) -> InboxView:
    mine = [stand.conversation for stand in stands.values()]
    waits = {str(name): stand.clock.waiting_since for name, stand in stands.items()}
    shown = await views(session, mine, principal, waits=waits)
    work = await routing.work_of(session, PersonId(principal.subject))
    offers = await _offers(session, principal)
    return InboxView(
        conversations=tuple(_shown(one, stands[ConversationId(one.id)]) for one in shown),
        work=tuple(_work_view(item) for item in work),
        offers=offers,
    )


async def _offers(session: AsyncSession, principal: Principal) -> tuple[OfferView, ...]:
    """Return what somebody is asked, each with the conversation as a colleague may see it."""
    asked = await handoffs.of_person(session, PersonId(principal.subject))
    if not asked:
        return ()
    found = await conversations.find_all(session, [one.conversation_id for one in asked])
    shown = {one.id: one for one in await views(session, found, principal)}
    return tuple(
        OfferView(
            id=one.id,
            conversation=shown[one.conversation_id],
            from_agent_id=one.from_agent_id,
            waiting_since=one.waiting_since,
            breach_at=one.breach_at,
            expires_at=one.expires_at,
        )
        for one in asked
        if one.conversation_id in shown
    )


def _shown(view: ConversationView, stand: Stand) -> ConversationView:
    since, place, first, _ = stand.clock
    waits = None
    if since is not None and place is not None:
        waits = RoundView(opened_at=since, position=place, first=first)
    return view.model_copy(
        update={
            "head": None if stand.head is None else HeadView.of(stand.head),
            "round": waits,
            "unread": min(len(stand.seen.unseen), UNREAD),
            "read_up_to": stand.seen.read_up_to,
        }
    )


async def _marks(session: AsyncSession) -> Marks:
    generation = await archive.newest_generation(session, CHAT.name)
    return Marks(generation, await positions.marks(session, CHAT.name))


async def _rows(stands: Stands, marks: Marks, home_of: HomeOf) -> list[Row]:
    rows: list[Row] = []
    for name, stand in stands.items():
        partition = await home_of(name)
        rows.append(
            Row(
                id=name,
                owner=str(stand.conversation.agent_id),
                version=stand.conversation.version,
                head=_head(stand.head),
                waiting_since=stand.clock.waiting_since,
                position=stand.clock.position,
                first=stand.clock.first,
                seat=stand.clock.seat,
                read_up_to=stand.seen.read_up_to,
                unseen=stand.seen.unseen,
                partition=partition,
                mark=(marks.generation, marks.offsets.get(partition, 0)),
            )
        )
    return rows


def _head(head: Head | None) -> dict[str, Any] | None:
    return None if head is None else HeadView.of(head).model_dump(mode="json")


def _work_view(item: WorkItem) -> WorkView:
    return WorkView(
        id=item.id,
        kind=item.kind,
        subject=SubjectView(kind=item.subject_kind, id=item.subject_id),
        order_id=item.order_id,
        buyer_id=item.buyer_id,
        due_at=item.due_at,
        level=item.level,
        agent_id=item.agent_id,
        also=item.senior_id,
        version=item.version,
    )
