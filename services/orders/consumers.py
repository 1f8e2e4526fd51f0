"""The door for other services' facts: group `orders.settlements` on the topics cases and work.

Turns records into events and hands them to the use case. Knows no table.
"""

from typing import Final

from contracts import decode
from contracts.aftersales import CaseRefunded, CaseRequested, CaseReviewed, WorkSettled
from contracts.base import Event, UnknownEvent, UnreadableEvent
from contracts.conversation import WorkAssigned
from contracts.topics import CASES, WORK
from kit.bus.ports import Record
from kit.errors import Dead
from services.orders.service import GROUP, Facts

__all__ = ["GROUP", "TOPICS", "Settlements"]

TOPICS: Final = (CASES.name, WORK.name)


class Settlements:
    """Handles one record; a repeat is stopped by the use case's inbox row."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    async def __call__(self, record: Record) -> None:
        """Apply the record's event. Raises `Dead` for what cannot be read."""
        match _event(record):
            case CaseRequested() as event:
                await self._facts.refund_requested(event)
            case CaseReviewed() as event:
                await self._facts.refund_reviewed(event)
            case CaseRefunded() as event:
                await self._facts.refunded(event)
            case WorkAssigned() as event:
                await self._facts.work_assigned(event)
            case WorkSettled() as event:
                await self._facts.work_settled(event)
            case _:
                pass  # these topics carry more than orders need


def _event(record: Record) -> Event:
    try:
        return decode(record)
    except (UnknownEvent, UnreadableEvent) as unreadable:
        raise Dead(str(unreadable)) from None
