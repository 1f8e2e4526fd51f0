"""Reads who waits for an answer. Must not know who asks."""

from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, PersonId, ShopId


class Load(NamedTuple):
    """Conversations of one owner; None: nobody's."""

    agent_id: PersonId | None
    open: int
    waiting: int
    oldest_wait_ms: int | None
    breaching: int


class Wait(NamedTuple):
    """A buyer who waits for a person."""

    conversation_id: ConversationId
    agent_id: PersonId | None
    since_ms: int


async def loads(session: AsyncSession, shop_id: ShopId, *, breach_before_ms: int) -> list[Load]:
    """Return open conversations and waits by owner."""
    rows = await session.execute(_LOADS, {"shop": shop_id, "breach": breach_before_ms})
    return [Load(*row) for row in rows]


async def waits(session: AsyncSession, shop_id: ShopId, *, limit: int) -> list[Wait]:
    """Return who waits, longest first."""
    rows = await session.execute(_WAITS, {"shop": shop_id, "limit": limit})
    return [Wait(*row) for row in rows]


_LOADS: Final = text(
    """
    select owner, count(*) filter (where open), count(waiting_ms), min(waiting_ms),
        count(*) filter (where waiting_ms <= :breach)
    from conversations
    where shop_id = :shop and (open or oldest_round_ms is not null)
    group by owner
    """
)
_WAITS: Final = text(
    """
    select conversation_id, owner, waiting_ms from conversations
    where shop_id = :shop and (open or oldest_round_ms is not null) and waiting_ms is not null
    order by waiting_ms, conversation_id limit :limit
    """
)
