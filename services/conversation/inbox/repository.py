"""How far owners have read their conversations, and what is new to them. Reads rows of others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, PersonId
from services.conversation.archive.domain import Place

_SEEN: Final = text(
    """
    select i.id, r.generation, r.log_offset, unseen.places
    from unnest(cast(:ids as uuid[]), cast(:people as uuid[])) as i (id, person_id)
    left join read_markers r on r.conversation_id = i.id and r.person_id = i.person_id
    left join lateral (
        select a.generation, a.log_offset from messages a
        where a.conversation_id = i.id and a.sender_kind is distinct from 'buyer'
          and a.sender_kind = 'agent'
        order by a.generation desc, a.log_offset desc limit 1
    ) answer on true
    cross join lateral (
        select array_agg(array[w.generation, w.log_offset] order by w.generation, w.log_offset)
            as places
        from (
            select cast(m.generation as bigint) as generation, m.log_offset from messages m
            where m.conversation_id = i.id and (
                m.sender_kind = 'buyer' and not m.late and m.type = 'chat.message.v1'
                or m.type = 'chat.note.v1' and m.body::json ->> 'author_id' <> i.person_id::text
              )
              and (m.generation, m.log_offset)
                > (coalesce(r.generation, 0), coalesce(r.log_offset, -1))
              and (m.generation, m.log_offset)
                > (coalesce(answer.generation, 0), coalesce(answer.log_offset, -1))
            order by m.generation desc, m.log_offset desc limit :most
        ) w
    ) unseen
    """
)
"""Three looks into indexes for each: its marker, the last answer, and what the buyer said since."""

UNSEEN: Final = 100
"""Places that are told of at most: one more than is counted."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a conversation's owner has read it, and where the buyer's words stand behind that.

    What staff answered counts as seen, whoever answered.
    """

    read_up_to: Place | None
    unseen: list[list[int]]


async def seen(
    session: AsyncSession, owners: Mapping[ConversationId, PersonId]
) -> dict[ConversationId, Seen]:
    """Return of each of these conversations what its owner has seen."""
    if not owners:
        return {}
    query = {"ids": list(owners), "people": list(owners.values()), "most": UNSEEN}
    return {
        ConversationId(str(row.id)): Seen(
            None if row.generation is None else (row.generation, row.log_offset),
            [list(place) for place in row.places or ()],
        )
        for row in await session.execute(_SEEN, query)
    }
