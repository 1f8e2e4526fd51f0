"""Through which moment the archive is complete, for whoever acts on silence (H48).

With the archive behind, every live chat looks silent: what was said may not be stored yet.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from contracts.topics import CHAT
from kit.bus.ports import Bus, Consumer
from kit.clock import Clock
from kit.errors import Unavailable
from kit.probes import Probes
from services.conversation.archive.service import Archiving

ASK_S: Final = 2.0
"""The broker has so long to say where the log ends; then the moment stays what it was."""


class Completeness:
    """Asks in every process where the log ends, and compares with the marks of the archive.

    The reader is there to ask, and reads nothing.
    """

    def __init__(self, bus: Bus, archiving: Archiving, clock: Clock) -> None:
        self._bus = bus
        self._archiving = archiving
        self._clock = clock
        self._reader: Consumer | None = None
        self._probes: dict[int, Probes] = {}
        self._marks: Mapping[int, int] = {}

    async def look(self) -> None:
        """Probe every partition once. Raises `Unavailable`."""
        reader = await self._opened()
        mine, at_ms = reader.assignment(), self._clock.now_ms()
        try:
            async with asyncio.timeout(ASK_S):
                ends = await reader.end_offsets(mine)
        except TimeoutError:
            raise Unavailable from None
        if any(ends[tp] > self._marks.get(tp.partition, 0) for tp in mine):
            self._marks = await self._archiving.marks()  # they only rise: those that suffice do so
        for tp in mine:
            probes = self._probes.setdefault(tp.partition, Probes())
            probes.asked(at_ms, end_offset=ends[tp])
            probes.passed(self._marks.get(tp.partition, 0))

    async def through(self) -> datetime | None:
        """Return the moment through which all that was said is archived; None: not known yet."""
        moments = [probes.through_ms for probes in self._probes.values()]
        known = [moment for moment in moments if moment is not None]
        if not known or len(known) < len(moments):
            return None
        return datetime.fromtimestamp(min(known) / 1000, UTC)

    async def close(self) -> None:
        """Let go of the reader."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.stop()

    async def _opened(self) -> Consumer:
        if self._reader is None:
            reader = self._bus.reader([CHAT.name])
            await reader.start()
            reader.pause(reader.assignment())
            self._reader = reader
        return self._reader
