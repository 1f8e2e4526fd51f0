"""The rows of read markers. Knows no bus."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId
from services.conversation.archive.domain import Place
from services.conversation.markers.domain import Marker

_RAISE: Final = text(
    """
    insert into read_markers (conversation_id, person_id, generation, log_offset)
    select * from unnest(
        cast(:conversations as uuid[]), cast(:people as uuid[]), cast(:generations as smallint[]),
        cast(:offsets as bigint[])
    )
    on conflict (conversation_id, person_id) do update
    set generation = excluded.generation, log_offset = excluded.log_offset
    where (read_markers.generation, read_markers.log_offset)
        < (excluded.generation, excluded.log_offset)
    """
)

_OF: Final = text(
    """
    select person_id, generation, log_offset from read_markers
    where conversation_id = :conversation and person_id = any(cast(:people as uuid[]))
    """
)


async def raise_all(session: AsyncSession, markers: Sequence[Marker]) -> None:
    """Move markers forward, in one round trip; one that is further on stays."""
    if markers:
        query = {
            "conversations": [one.conversation_id for one in markers],
            "people": [one.person_id for one in markers],
            "generations": [one.place[0] for one in markers],
            "offsets": [one.place[1] for one in markers],
        }
        await session.execute(_RAISE, query)


async def of(
    session: AsyncSession, conversation_id: str, people: Collection[PersonId]
) -> dict[PersonId, Place]:
    """Return how far these people have read a conversation; who never did is missing."""
    query = {"conversation": conversation_id, "people": list(people)}
    rows = await session.execute(_OF, query)
    return {PersonId(str(row.person_id)): (row.generation, row.log_offset) for row in rows}
