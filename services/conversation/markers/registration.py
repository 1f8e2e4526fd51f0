"""What runs of read markers: a member of their group."""

from contracts.topics import SIGNALS
from kit.bus.deadletter import DeadLetters
from kit.bus.loops import BatchLoop
from kit.service.database import DatabaseService
from services.conversation.markers.consumers import GATHER_MS, GROUP, ROWS, ReadSignals
from services.conversation.markers.service import Markers
from services.conversation.settings import Settings


def register(service: DatabaseService[Settings]) -> None:
    """Keep how far people have read."""
    handle = ReadSignals(Markers(service.db))
    loop = BatchLoop(
        service.bus,
        topics=[SIGNALS.name],
        group=GROUP,
        handle=handle,
        dead_letters=DeadLetters(service.producer, GROUP, metrics=service.metrics),
        max_rows=ROWS,
        max_wait_ms=GATHER_MS,
        metrics=service.metrics,
    )
    service.join(GROUP, [SIGNALS], loop, ping=loop.ping, replay=handle.one)
