"""What stands beside a message in the archive. Knows no rule."""

from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId
from services.conversation.archive import repository as archive


async def beside(
    session: AsyncSession, conversation_id: ConversationId, message_id: str, half: int
) -> tuple[list[Row[Any]], list[Row[Any]]]:
    """Return a message with what stands before it, newest first, and what stands behind it.

    One more of each than a page shows; nothing if it is no message of this conversation.
    """
    first = (await archive.first_of(session, [message_id])).get(message_id)
    if first is None:
        return [], []
    generation, offset = first.place
    behind = (generation, offset + 1)
    older = await archive.before(session, conversation_id, behind, limit=half + 2)
    if not older or str(older[0].message_id) != message_id:
        return [], []
    return older, await archive.after(session, conversation_id, first.place, limit=half + 1)
