"""What is open and how long it has been silent, read from the archive. Knows no rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, ShopId
from services.conversation.conversations.clock import FIRST_UNANSWERED

_SHOPS_OPEN: Final = text("select distinct shop_id from conversations where state <> 'closed'")

_SILENT: Final = f"""
    select i.id, word.since is not null as waits
    from conversations i
    left join lateral (
        select m.time from messages m
        where m.conversation_id = i.id and m.type <> 'chat.note.v1'
        order by m.generation desc, m.log_offset desc limit 1
    ) last on true
    {FIRST_UNANSWERED}
    left join lateral (
        select m.time from messages m
        where m.conversation_id = i.id and m.sender_kind = 'buyer' and not m.late
        order by m.generation desc, m.log_offset desc limit 1
    ) spoken on word.since is not null
    where i.shop_id = :shop and i.state <> 'closed' and i.opened_at <= :idle_since
      and case when word.since is not null then spoken.time <= :unanswered_since
               else greatest(last.time, i.opened_at, i.assigned_at) <= :idle_since end
      and not exists (select from contacts k where k.conversation_id = i.id)
"""
"""A few looks into an index for each open conversation that is old enough.

Whoever waits is given up by his last word, not his first. Where nobody does, whatever stands last
in the log, a word or that staff took the conversation up again, ends a silence: but for a note,
which nobody has to hear.
"""

_SOME_SILENT: Final = text(f"{_SILENT} limit :limit")
_STILL_SILENT: Final = text(f"{_SILENT} and i.id = any(cast(:ids as uuid[]))")


@dataclass(frozen=True, slots=True)
class Silence:
    """Of which shop and since when: `unanswered_since` is for those in which the buyer waits."""

    shop_id: ShopId
    idle_since: datetime
    unanswered_since: datetime

    def asked(self) -> dict[str, object]:
        """Return it as the statements ask for it."""
        return {
            "shop": self.shop_id,
            "idle_since": self.idle_since,
            "unanswered_since": self.unanswered_since,
        }


async def shops_open(session: AsyncSession) -> list[ShopId]:
    """Return the shops in which a conversation is open."""
    return sorted(ShopId(row.shop_id) for row in await session.execute(_SHOPS_OPEN))


async def silent(session: AsyncSession, silence: Silence, *, limit: int) -> list[ConversationId]:
    """Return some open conversations of the shop in which nobody spoke since, in no order.

    What a contact is about to change is left out.
    """
    rows = await session.execute(_SOME_SILENT, silence.asked() | {"limit": limit})
    return [ConversationId(str(row.id)) for row in rows]


async def still_silent(
    session: AsyncSession, silence: Silence, ids: Sequence[ConversationId]
) -> dict[ConversationId, bool]:
    """Return which of these still are, each with whether its buyer waits; looks at no others."""
    rows = await session.execute(_STILL_SILENT, silence.asked() | {"ids": list(ids)})
    return {ConversationId(str(row.id)): row.waits for row in rows}
