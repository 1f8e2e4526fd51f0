"""Facts beside the chat log: held messages, agents' states, the directory.

Knows which event goes where; each handler says how it survives a repeat.
"""

from collections.abc import Sequence

import structlog

from contracts import UnknownEvent, UnreadableEvent, decode
from contracts.base import Event
from contracts.conversation import AgentStateChanged, PersonListed, ShopListed
from contracts.gateway import MessageHeld
from kit.bus.ports import Record
from kit.errors import Dead
from kit.postgres import Database
from services.monitor.repository.directory import Directory
from services.monitor.service import evidence

log = structlog.get_logger()


class Facts:
    """The handlers of `monitor.incidents`, `monitor.staff` and of the directory's reader."""

    def __init__(self, database: Database, directory: Directory) -> None:
        self._database = database
        self._directory = directory

    async def on_incident(self, record: Record) -> None:
        """Store a held message; the incident's id is its key, a repeat inserts nothing."""
        event = _read(record)
        if not isinstance(event, MessageHeld):
            raise Dead(f"{event.type} is no event of this topic")
        await evidence.keep(self._database, event)

    async def on_staff(self, record: Record) -> None:
        """Store an agent's state; an older or repeated version changes nothing."""
        event = _read(record)
        if not isinstance(event, AgentStateChanged):
            raise Dead(f"{event.type} is no event of this topic")
        await evidence.note_agent(self._database, event)

    async def on_directory(self, records: Sequence[Record]) -> None:
        """Take entries in; the newest version of each wins, however often it comes."""
        for record in records:
            if record.value is None:
                continue  # a tombstone: whoever left stays known by name until the next start
            try:
                event = decode(record)
            except (UnknownEvent, UnreadableEvent) as error:
                log.warning("directory.skipped", offset=record.offset, reason=str(error))
                continue
            if isinstance(event, ShopListed):
                self._directory.list_shop(event)
            elif isinstance(event, PersonListed):
                self._directory.list_person(event)


def _read(record: Record) -> Event:
    try:
        return decode(record)
    except (UnknownEvent, UnreadableEvent) as error:
        raise Dead(str(error)) from None
