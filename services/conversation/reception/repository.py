"""What is open and how long it has been silent, read from the archive. Knows no rule."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, ShopId

_SHOPS_OPEN: Final = text("select distinct shop_id from conversations where state <> 'closed'")

_SILENT: Final = text(
    """
    select c.id, coalesce(word.sender_kind = 'buyer', false) as waits
    from conversations c
    left join lateral (
        select m.time from messages m where m.conversation_id = c.id
        order by m.generation desc, m.log_offset desc limit 1
    ) last on true
    left join lateral (
        select m.sender_kind, m.time from messages m
        where m.conversation_id = c.id
          and (m.sender_kind in ('buyer', 'agent') and not m.late
               or m.type = 'conversation.closed.v1')
        order by m.generation desc, m.log_offset desc limit 1
    ) word on true
    where c.shop_id = :shop and c.state <> 'closed' and c.opened_at <= :idle_since
      and case when word.sender_kind = 'buyer' then word.time <= :unanswered_since
               else greatest(last.time, c.opened_at, c.assigned_at) <= :idle_since end
      and not exists (select from contacts k where k.conversation_id = c.id)
    order by c.id limit :limit
    """
)
"""Two looks into an index for each open conversation that is old enough.

A close ends the buyer's wait like an answer. Whatever stands last in the log, a word or that staff
took the conversation up again, ends a silence.
"""


async def shops_open(session: AsyncSession) -> list[ShopId]:
    """Return the shops in which a conversation is open."""
    return sorted(ShopId(row.shop_id) for row in await session.execute(_SHOPS_OPEN))


async def silent(
    session: AsyncSession,
    shop_id: ShopId,
    *,
    idle_since: datetime,
    unanswered_since: datetime,
    limit: int,
) -> dict[ConversationId, bool]:
    """Return open conversations in which nobody spoke since, each with whether its buyer waits.

    `unanswered_since` is the moment for those in which he does. What a contact is about to change
    is left out.
    """
    asked = {
        "shop": shop_id,
        "idle_since": idle_since,
        "unanswered_since": unanswered_since,
        "limit": limit,
    }
    rows = await session.execute(_SILENT, asked)
    return {ConversationId(str(row.id)): row.waits for row in rows}
