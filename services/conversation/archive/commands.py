"""What an operator may ask of the archive."""

from contracts.topics import CHAT
from kit.service.database import DatabaseService
from services.conversation.archive.service import Archiving
from services.conversation.directory.service import Relisting
from services.conversation.settings import Settings


async def begin_generation(service: DatabaseService[Settings]) -> tuple[str, int]:
    """Keep the history and begin the next generation: the chat topic was made anew (H4).

    The directory is told anew too, for it was lost with the log.
    """
    archiving = Archiving(service.db, service.clock, told=lambda _shops: None)
    number = await archiving.begin_generation(await service.bus.topic_id(CHAT.name))
    listed = await Relisting(service.db, service.clock, service.ids).everything()
    said = f"{service.name}: generation {number}, {listed} entries go to the directory again"
    return said, 0
