"""What runs of the archive: its reader, who acts on contacts, and who asks how far it is."""

from dataclasses import dataclass
from typing import Final

from contracts.topics import CHAT
from kit.clock import SystemClock
from kit.service.database import DatabaseService
from services.conversation.archive.completeness import Completeness
from services.conversation.archive.consumers import GROUP, Archive
from services.conversation.archive.contacts import Contacts
from services.conversation.archive.deadlines import LOOK_S, PROBE_S, ContactWorker
from services.conversation.archive.service import Archiving
from services.conversation.routing.service import Routing
from services.conversation.settings import Settings
from services.conversation.turns import Turns

POOL: Final = 3
"""Connections of the archive's own: one writes a batch, the others find marks meanwhile. Routing at
a peak takes none of them (H39)."""


@dataclass(frozen=True)
class ArchiveParts:
    """The archive as it was registered."""

    archiving: Archiving
    role: Archive
    contacts: Contacts
    worker: ContactWorker
    completeness: Completeness


def register(service: DatabaseService[Settings], turns: Turns, routing: Routing) -> ArchiveParts:
    """Archive the chat topic, and act on what a stored message changes."""
    contacts = Contacts(service.db, turns, routing, service.clock)
    worker = ContactWorker(contacts)
    archiving = Archiving(service.pool("archive", POOL), service.clock, worker.wake)
    role = Archive(
        service.bus,
        archiving,
        service.producer,
        max_rows=service.settings.archive_rows,
        max_wait_ms=service.settings.archive_wait_ms,
        clock=SystemClock(),
        metrics=service.metrics,
    )
    completeness = Completeness(service.bus, archiving, service.clock)
    service.join(GROUP, [CHAT], role, ping=role.loop.ping, replay=role.handle_one)
    service.role(worker)
    service.every(LOOK_S, "contacts", worker.look)
    service.resource(stop=completeness.close)
    service.every(PROBE_S, "completeness", completeness.look)
    return ArchiveParts(archiving, role, contacts, worker, completeness)
