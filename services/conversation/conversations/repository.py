"""Conversations: locked for a change, saved after it, listed in pages. Knows no rule."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import (
    ConversationId,
    ConversationState,
    OrderId,
    PersonId,
    ShopId,
    SkillGroupId,
    Stage,
)
from services.conversation.conversations.domain import Conversation
from services.conversation.conversations.models import ConversationRow, StageMoveRow
from services.conversation.tables import table_of

_CONVERSATIONS: Final = table_of(ConversationRow)
_STAGE_MOVES: Final = table_of(StageMoveRow)

_OPEN = text("state <> 'closed'")
_ASSIGNED = text("state = 'assigned'")
"""True of every conversation that has an agent (the table checks it). Both are text, for only so
the planner sees that a partial index is meant."""

_STANDING = text(
    """
    select c.* from unnest(cast(:buyers as uuid[])) as b (id) cross join lateral (
        select * from (
            (select * from conversations where shop_id = :shop and buyer_id = b.id
                and state <> 'closed')
            union all
            (select * from conversations where shop_id = :shop and buyer_id = b.id
                order by opened_at desc, id desc limit 1)
        ) his order by his.state = 'closed' limit 1
    ) c
    """
).columns(**{column.name: column.type for column in _CONVERSATIONS.columns})


AHEAD: Final = 100
"""How many before a buyer are counted: nobody who waits behind so many needs to know them all."""

_AHEAD = text(
    """
    select count(*) from (
        select from conversations
        where shop_id = :shop and skill_group_id = :group and state = 'queued'
            and (rank_at, id) < (cast(:rank as timestamptz), cast(:id as uuid))
        limit :most
    ) before
    """
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which conversations a list shows."""

    shop_id: ShopId
    buyer_id: PersonId | None = None
    agent_id: PersonId | None = None
    state: ConversationState | None = None
    ascending: bool = False


async def find(session: AsyncSession, conversation_id: str) -> Conversation | None:
    """Return a conversation of any shop; the caller checks whose it is."""
    return await _one(session, _all().where(_CONVERSATIONS.c.id == conversation_id))


async def find_all(session: AsyncSession, ids: Sequence[str]) -> list[Conversation]:
    """Return several of any shop; the caller knows why he may see them."""
    wanted = _all().where(_CONVERSATIONS.c.id.in_(ids)).order_by(_CONVERSATIONS.c.id)
    return [_conversation(row) for row in await session.execute(wanted)]


async def lock(session: AsyncSession, conversation_id: str) -> Conversation | None:
    """Return a conversation that nobody else changes until this transaction ends."""
    wanted = _all().where(_CONVERSATIONS.c.id == conversation_id).with_for_update()
    return await _one(session, wanted)


async def lock_all(session: AsyncSession, ids: Sequence[str]) -> list[Conversation]:
    """Return several, locked in the order of their ids."""
    if not ids:
        return []
    wanted = _all().where(_CONVERSATIONS.c.id.in_(ids)).order_by(_CONVERSATIONS.c.id)
    rows = await session.execute(wanted.with_for_update())
    return [_conversation(row) for row in rows]


async def standing_of_buyers(
    session: AsyncSession, shop_id: ShopId, buyer_ids: Collection[PersonId]
) -> dict[PersonId, Conversation]:
    """Return of each buyer the conversation that he has open, else his latest; not locked."""
    rows = await session.execute(_STANDING, {"shop": shop_id, "buyers": sorted(buyer_ids)})
    return {found.buyer_id: found for found in map(_conversation, rows)}


async def owned_by(session: AsyncSession, agent_id: PersonId) -> list[Conversation]:
    """Return what an agent owns, oldest first."""
    wanted = (
        _all()
        .where(_CONVERSATIONS.c.agent_id == agent_id, _ASSIGNED)
        .order_by(_CONVERSATIONS.c.shop_id, _CONVERSATIONS.c.opened_at, _CONVERSATIONS.c.id)
    )
    return [_conversation(row) for row in await session.execute(wanted)]


async def assigned_to(
    session: AsyncSession, shop_id: ShopId, agents: Collection[PersonId]
) -> dict[str, PersonId]:
    """Return the conversations that agents of a shop have, each with its agent."""
    columns = select(_CONVERSATIONS.c.id, _CONVERSATIONS.c.agent_id)
    theirs = columns.where(
        _CONVERSATIONS.c.shop_id == shop_id, _CONVERSATIONS.c.agent_id.in_(agents), _ASSIGNED
    )
    return {row.id: PersonId(row.agent_id) for row in await session.execute(theirs)}


async def open_of(session: AsyncSession, buyer_id: PersonId) -> list[Conversation]:
    """Return a buyer's open conversations."""
    wanted = _all().where(_CONVERSATIONS.c.buyer_id == buyer_id, _CONVERSATIONS.c.state != "closed")
    return [
        _conversation(row) for row in await session.execute(wanted.order_by(_CONVERSATIONS.c.id))
    ]


async def open_of_buyers(
    session: AsyncSession, shop_id: ShopId, buyer_ids: Collection[PersonId]
) -> list[Conversation]:
    """Return the open conversations of several buyers: of each one at most."""
    wanted = _all().where(
        _CONVERSATIONS.c.shop_id == shop_id, _CONVERSATIONS.c.buyer_id.in_(buyer_ids), _OPEN
    )
    return [_conversation(row) for row in await session.execute(wanted)]


async def ahead_of(session: AsyncSession, waiting: Conversation) -> int:
    """Return how many in the queue of its group are before a conversation, `AHEAD` at most."""
    facts = {
        "shop": waiting.shop_id,
        "group": waiting.skill_group_id,
        "rank": waiting.rank_at,
        "id": waiting.id,
        "most": AHEAD,
    }
    return int((await session.execute(_AHEAD, facts)).scalar_one())


async def page(
    session: AsyncSession, which: Filter, *, after: tuple[datetime, str] | None, limit: int
) -> list[Conversation]:
    """Return at most `limit` beyond `after` (opened_at, id), by when they were opened."""
    wanted = _all().where(_CONVERSATIONS.c.shop_id == which.shop_id)
    if which.buyer_id is not None:
        wanted = wanted.where(_CONVERSATIONS.c.buyer_id == which.buyer_id)
    if which.agent_id is not None:
        wanted = wanted.where(_CONVERSATIONS.c.agent_id == which.agent_id, _ASSIGNED)
    if which.state is not None:
        wanted = wanted.where(_CONVERSATIONS.c.state == which.state)
    place = tuple_(_CONVERSATIONS.c.opened_at, _CONVERSATIONS.c.id)
    if after is not None:
        wanted = wanted.where(place > after if which.ascending else place < after)
    by = (_CONVERSATIONS.c.opened_at, _CONVERSATIONS.c.id)
    order = by if which.ascending else [column.desc() for column in by]
    rows = await session.execute(wanted.order_by(*order).limit(limit))
    return [_conversation(row) for row in rows]


async def add_all(session: AsyncSession, new: Sequence[Conversation]) -> None:
    """Insert new conversations, in one round trip."""
    if new:
        await session.execute(insert(_CONVERSATIONS), [_columns(each) for each in new])


async def add_missing(session: AsyncSession, conversation: Conversation) -> None:
    """Insert a conversation that an older backup does not hold; one that is there stays."""
    made = upsert(_CONVERSATIONS).values(_columns(conversation))
    await session.execute(made.on_conflict_do_nothing())


async def save(session: AsyncSession, conversation: Conversation) -> None:
    """Write back what a decision changed."""
    changed = update(_CONVERSATIONS).where(_CONVERSATIONS.c.id == conversation.id)
    await session.execute(changed.values(_columns(conversation)))


async def save_all(session: AsyncSession, changed: Sequence[Conversation]) -> None:
    """Write back what a decision changed in many, in one round trip."""
    if changed:
        one = update(_CONVERSATIONS).where(_CONVERSATIONS.c.id == bindparam("its_id"))
        rows = [_columns(each) | {"its_id": each.id} for each in changed]
        await session.execute(one, rows)


async def record_stage(
    session: AsyncSession, before: Stage, after: Conversation, at: datetime
) -> None:
    """Keep a step of the reception pipeline for the funnel (C4)."""
    await session.execute(
        insert(_STAGE_MOVES).values(
            conversation_id=after.id,
            version=after.version,
            shop_id=after.shop_id,
            previous=before,
            stage=after.stage,
            agent_id=after.agent_id,
            at=at,
        )
    )


def _all() -> Select[Any]:
    return select(_CONVERSATIONS)


async def _one(session: AsyncSession, query: Select[Any]) -> Conversation | None:
    row = (await session.execute(query)).one_or_none()
    return None if row is None else _conversation(row)


def _conversation(row: Row[Any]) -> Conversation:
    return Conversation(
        id=ConversationId(row.id),
        shop_id=ShopId(row.shop_id),
        buyer_id=PersonId(row.buyer_id),
        skill_group_id=SkillGroupId(row.skill_group_id),
        state=ConversationState(row.state),
        stage=Stage(row.stage),
        version=row.version,
        assignment_version=row.assignment_version,
        taken_version=row.taken_version,
        agent_id=_person(row.agent_id),
        preferred_agent_id=_person(row.preferred_agent_id),
        avoided_agent_id=_person(row.avoided_agent_id),
        waiting_since=row.waiting_since,
        assigned_at=row.assigned_at,
        announced=row.announced,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        swept=row.swept,
        priority=row.priority,
        subject=row.subject,
        order_id=None if row.order_id is None else OrderId(row.order_id),
        score=row.score,
    )


def _person(value: str | None) -> PersonId | None:
    return None if value is None else PersonId(value)


def _columns(conversation: Conversation) -> dict[str, object]:
    return {column.name: getattr(conversation, column.name) for column in _CONVERSATIONS.columns}
