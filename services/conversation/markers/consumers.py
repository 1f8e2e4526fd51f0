"""How far people have read, as it arrives on the bus. Knows no table."""

import re
from typing import Final

from contracts.base import UnreadableEvent
from contracts.frames import GENERATIONS, OFFSETS
from contracts.gateway import SignalSent, StaffSignal
from kit.bus.ports import Record
from kit.errors import Dead
from services.conversation.markers.domain import Marker
from services.conversation.markers.service import Markers

GROUP: Final = "conversation.markers"

GATHER_MS: Final = 1_000
"""Signals of so long become one statement: who reads on and on costs one row a second."""

ROWS: Final = 2_000
"""Signals in hand at most."""

_SIGNALS: Final = {kind.type.encode(): kind for kind in (SignalSent, StaffSignal)}
"""A seat's reading, and a watcher's, by type."""

_READ: Final = b'"read"'
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}").fullmatch


class ReadSignals:
    """Keeps read markers, and passes over whatever else is signalled.

    A marker only moves forward, so a repeat changes nothing. What is lost comes again with whatever
    the same person reads next.
    """

    def __init__(self, markers: Markers) -> None:
        self._markers = markers

    async def __call__(self, records: list[Record]) -> None:
        """Keep what a batch says was read. Raises `Dead` for all that cannot be read, first."""
        found: list[Marker] = []
        dead: list[Dead] = []
        for record in records:
            try:
                marker = _marker(record)
            except UnreadableEvent as unreadable:
                dead.append(Dead(str(unreadable), record))
            else:
                found += () if marker is None else (marker,)
        if dead:
            raise Dead.all_of(dead)
        await self._markers.keep(found)

    async def one(self, record: Record) -> None:
        """Keep what one record says, from a replay of dead letters."""
        await self([record])


def _marker(record: Record) -> Marker | None:
    """Return what a record says was read, None for another signal. Raises `UnreadableEvent`."""
    # Most signals are of typing: these are not worth decoding.
    kind = _SIGNALS.get(record.header("ce_type") or b"")
    if kind is None or _READ not in (record.value or b""):
        return None
    event = kind.read(record)
    if event.signal != "read" or event.position is None:
        return None
    generation, offset = event.position
    if not (0 <= generation < GENERATIONS and 0 <= offset < OFFSETS):
        raise UnreadableEvent(f"{event.type}: position")
    if not (_UUID(event.conversation_id) and _UUID(event.person_id)):
        raise UnreadableEvent(f"{event.type}: an id is no UUID")
    return Marker(event.conversation_id, event.person_id, event.position)
