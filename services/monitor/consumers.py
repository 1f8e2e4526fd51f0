"""Entries from the bus: the fold of the chat log, incidents, staff, the directory.

Hands each to its use case. Knows no table.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from contracts import UnknownEvent, UnreadableEvent, decode
from contracts.base import Event
from contracts.conversation import AgentStateChanged, PersonListed, ShopListed
from contracts.gateway import MessageHeld
from kit.bus.ports import Consumer, Record, TopicPartition
from kit.errors import Dead
from services.monitor.service import Facts, Partitions

log = structlog.get_logger()

INCIDENTS: Final = "monitor.incidents"
STAFF: Final = "monitor.staff"
DIRECTORY: Final = "monitor.directory"
"""A reader's name, no group: each process reads the topic whole."""


class Fold:
    """The chat log in batches, partitions mixed, and which partitions come and go."""

    def __init__(self, partitions: Partitions) -> None:
        self._partitions = partitions

    async def __call__(self, records: Sequence[Record]) -> None:
        """Fold a batch; a repeat below the offset that is stored beside it changes nothing."""
        await self._partitions.fold(records)

    async def passed_over(self, records: Sequence[Record]) -> None:
        """Go on behind records that were set aside, one of a partition."""
        await self._partitions.pass_over(records)

    async def assigned(self, consumer: Consumer, came: frozenset[TopicPartition]) -> None:
        """Take partitions over before their first record."""
        await self._partitions.take_over(consumer, came)

    async def revoked(self, _consumer: Consumer, going: frozenset[TopicPartition]) -> None:
        """Let partitions go; the loop has let the batch in hand be committed before."""
        await self._partitions.release(going)


class Incidents:
    """Messages that the gate held back."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    async def __call__(self, event: Event) -> None:
        """Store a held message; the incident's id is its key, a repeat inserts nothing."""
        match event:
            case MessageHeld():
                await self._facts.keep_incident(event)
            case _:
                raise _misplaced(event)


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
                raise _misplaced(event)


class DirectoryEntries:
    """Shops and people, as the directory lists them."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    async def __call__(self, records: Sequence[Record]) -> None:
        """Take entries in; the newest version of each wins, however often it comes."""
        for record in records:
            if record.value is None:
                continue  # a tombstone: whoever left stays known by name until the next start
            try:
                event = decode(record)
            except (UnknownEvent, UnreadableEvent) as error:
                log.warning("directory.skipped", offset=record.offset, reason=str(error))
                continue
            match event:
                case ShopListed():
                    self._facts.list_shop(event)
                case PersonListed():
                    self._facts.list_person(event)
                case _:
                    pass  # the directory may come to list more than the monitor needs


def _misplaced(event: Event) -> Dead:
    return Dead(f"{event.type} is no event of this topic")
