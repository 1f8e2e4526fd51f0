"""The services' own objects on a filled database, called as the services call them."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import SecretStr

from kit.bus.memory import MemoryBus
from kit.clock import ManualClock, SystemClock
from kit.ids import Uuid7Ids
from kit.postgres import Database
from services.conversation.app import ConversationService
from services.conversation.settings import Settings
from services.monitor.boards.service import Boards
from services.monitor.directory.rules import Rules
from services.monitor.settings import Settings as MonitorSettings
from tests.faults.volume.filling import ROWS, Connection, Filled, administering

NOON = datetime(2026, 11, 11, 4, tzinfo=UTC)
"""In Shanghai, on the day of the board."""


@dataclass
class Ground:
    """A filled database and who works on it."""

    filled: Filled
    databases: dict[str, Database]
    conversation: ConversationService
    boards: Boards
    admin: Connection
    draw: random.Random = field(default_factory=lambda: random.Random(17))
    next_offset: int = 10**9
    """Of the log, as the archive sees it."""

    @property
    def conversations(self) -> int:
        """How many conversations there are."""
        return self.filled.conversations


@asynccontextmanager
async def working_on(filled: Filled) -> AsyncIterator[Ground]:
    """Yield the objects that work on a filled database, not started; close them after."""
    databases = {
        service: Database(filled.base.dsn(service), schema=service, pool_size=2) for service in ROWS
    }
    settings = Settings(database_url=SecretStr(filled.base.dsn("conversation")))
    conversation = ConversationService(settings, MemoryBus(), clock=SystemClock())
    clock = ManualClock(NOON)
    wanted = MonitorSettings()
    rules = Rules.from_settings(wanted, wanted.open_lexicon())
    boards = Boards(databases["monitor"], rules, clock=clock, ids=Uuid7Ids(clock))
    try:
        async with administering(filled.administrator) as admin:
            yield Ground(filled, databases, conversation, boards, admin)
    finally:
        await asyncio.gather(conversation.close(), *(one.close() for one in databases.values()))
