"""Pages of what is archived of a conversation, by its place in the log. Knows no rule."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId
from services.conversation.archive import repository as archive
from services.conversation.archive.domain import Place

_SHOWN: Final = """
    select message_id, generation, log_offset, type, time, body, late, archived_at
    from messages where conversation_id = :conversation and type = any(cast(:types as text[]))
"""

_AFTER: Final = text(
    f"{_SHOWN} and (generation, log_offset) > (:generation, :offset)"
    " order by generation, log_offset limit :limit"
)

_BEFORE: Final = text(
    f"{_SHOWN} and (generation, log_offset) < (:generation, :offset)"
    " order by generation desc, log_offset desc limit :limit"
)

_LATEST: Final = text(f"{_SHOWN} order by generation desc, log_offset desc limit :limit")


async def after(
    session: AsyncSession,
    conversation_id: str,
    place: Place,
    *,
    types: Collection[str],
    limit: int,
) -> list[Row[Any]]:
    """Return what of these types stands after a place, oldest first."""
    query = {"conversation": conversation_id, "types": sorted(types), "limit": limit}
    rows = await session.execute(_AFTER, query | {"generation": place[0], "offset": place[1]})
    return list(rows)


async def before(
    session: AsyncSession,
    conversation_id: str,
    place: Place | None,
    *,
    types: Collection[str],
    limit: int,
) -> list[Row[Any]]:
    """Return what of these types stands before a place, or at the end, newest first."""
    query: dict[str, object] = {
        "conversation": conversation_id,
        "types": sorted(types),
        "limit": limit,
    }
    if place is None:
        return list(await session.execute(_LATEST, query))
    rows = await session.execute(_BEFORE, query | {"generation": place[0], "offset": place[1]})
    return list(rows)


async def at_place(
    session: AsyncSession,
    conversation_id: ConversationId,
    place: Place,
    *,
    types: Collection[str],
    most: tuple[int, int],
) -> tuple[list[Row[Any]], list[Row[Any]]]:
    """Return what stands at a place or before it, newest first, and what stands behind it.

    `most` is how many of each a page shows; there is one more where it goes on.
    """
    generation, offset = place
    behind = (generation, offset + 1)
    older = await before(session, conversation_id, behind, types=types, limit=most[0] + 1)
    return older, await after(session, conversation_id, place, types=types, limit=most[1] + 1)


async def beside(
    session: AsyncSession,
    conversation_id: ConversationId,
    message_id: str,
    *,
    types: Collection[str],
    most: tuple[int, int],
) -> tuple[list[Row[Any]], list[Row[Any]]]:
    """Return a message with what stands before it, newest first, and what stands behind it.

    One more of each than `most`, what a page shows; nothing if it is no message of this
    conversation.
    """
    first = (await archive.first_of(session, [message_id])).get(message_id)
    if first is None:
        return [], []
    found = await at_place(session, conversation_id, first.place, types=types, most=most)
    older, _ = found
    return found if older and str(older[0].message_id) == message_id else ([], [])
