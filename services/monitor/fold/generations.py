"""Which chat topic the stored offsets belong to (H4)."""

from typing import Final

from sqlalchemy import text

from contracts.topics import CHAT
from kit import positions
from kit.bus.ports import Bus
from kit.postgres import Database


async def current(bus: Bus, database: Database) -> int:
    """Return the topic's generation, beginning the first one if there is none.

    Raises `positions.ForeignTopic` for another topic of the same name.
    """
    topic_id = await bus.topic_id(CHAT.name)
    async with database.write_across("generation of the chat log") as session:
        return await positions.generation(session, CHAT.name, topic_id=topic_id)


async def begin(bus: Bus, database: Database) -> int:
    """Accept a topic that was made anew: its positions start over. Return its generation."""
    topic_id = await bus.topic_id(CHAT.name)
    async with database.write_across("generation of the chat log") as session:
        number = await positions.begin_generation(session, CHAT.name, topic_id=topic_id)
        await session.execute(_NOTHING_BEFORE)
        return number


_NOTHING_BEFORE: Final = text("update partitions set refold_below = null")
"""A place in the topic before this one is no place in this one."""
