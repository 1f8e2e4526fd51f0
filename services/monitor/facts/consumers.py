"""Entries from the bus: the states of agents, and when shops had nobody. Knows no table."""

from collections.abc import Sequence
from typing import Final

import structlog

from contracts import UnknownEvent, UnreadableEvent, decode
from contracts.base import Event
from contracts.conversation import AgentStateChanged
from contracts.topics import STAFF as STAFF_TOPIC
from kit.bus.ports import Bus, Consumer, Record, TopicPartition
from kit.clock import Clock
from kit.errors import Dead, Unavailable
from kit.probes import Probes
from services.monitor.facts.service import Facts
from services.monitor.facts.staffing import Staffing

log = structlog.get_logger()

STAFF: Final = "monitor.staff"
STAFFING: Final = "monitor.staffing"
"""A reader's name, no group: each process reads the topic whole."""


class Staff:
    """The states of agents."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    async def __call__(self, event: Event) -> None:
        """Store an agent's state; an older or repeated version changes nothing."""
        match event:
            case AgentStateChanged():
                await self._facts.note_agent(event)
            case _:
                raise Dead(f"{event.type} is no event of this topic")


class StaffHistory:
    """All changes of agents' states, and through which moment they are known (H31, H35)."""

    def __init__(self, bus: Bus, staffing: Staffing, *, clock: Clock) -> None:
        self._bus = bus
        self._staffing = staffing
        self._clock = clock
        self._asking: Consumer | None = None
        self._next: dict[int, int] = {}
        self._probes: dict[int, Probes] = {}

    async def __call__(self, records: Sequence[Record]) -> None:
        """Take changes in; a version that is known changes nothing."""
        for record in records:
            self._next[record.partition] = record.offset + 1
            try:
                event = decode(record)
            except (UnknownEvent, UnreadableEvent) as error:
                log.warning("staffing.skipped", offset=record.offset, reason=str(error))
                continue
            if isinstance(event, AgentStateChanged):
                self._staffing.note(event)
        self._pass()

    async def probe(self) -> None:
        """Ask where the topic ends now; what lies below is known once it is read."""
        at_ms = self._clock.now_ms()
        try:
            ends = await self._ends()
        except Unavailable as away:
            log.warning("staffing.not_asked", reason=away.slug)
            return
        for tp, end in ends.items():
            self._probes.setdefault(tp.partition, Probes()).asked(at_ms, end_offset=end)
        self._pass()

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            await self._asking.stop()

    def _pass(self) -> None:
        moments = [
            probes.passed(self._next.get(partition, 0)) or 0
            for partition, probes in self._probes.items()
        ]
        self._staffing.through_ms = min(moments, default=0)

    async def _ends(self) -> dict[TopicPartition, int]:
        if self._asking is None:
            asking = self._bus.reader([STAFF_TOPIC.name])
            await asking.start()
            asking.pause(asking.assignment())
            for tp, first in (await asking.beginning_offsets(asking.assignment())).items():
                self._next.setdefault(tp.partition, first)
            self._asking = asking
        return await self._asking.end_offsets(self._asking.assignment())
