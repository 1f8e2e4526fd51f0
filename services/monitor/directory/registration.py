"""What runs of the directory: its reader, and the wait for it."""

import asyncio

from contracts import topics
from kit.process import Gate
from kit.service.database import DatabaseService
from services.monitor.directory.consumers import DIRECTORY, DirectoryEntries
from services.monitor.directory.shops import Directory
from services.monitor.settings import Settings


def register(service: DatabaseService[Settings], directory: Directory) -> asyncio.Event:
    """Read the directory; return what is set once it is known.

    Parts that are registered behind it start only then.
    """
    reader = service.read(DIRECTORY, [topics.DIRECTORY], DirectoryEntries(directory))
    service.role(Gate("directory", reader.caught_up))
    return reader.caught_up
