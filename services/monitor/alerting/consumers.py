"""What the monitor itself told leaders, as it arrives on the bus. Knows no table.

The fold tells of a threshold and is done; whatever becomes of it here costs the fold nothing.
"""

from collections import defaultdict
from typing import Final

from contracts.base import Event, UnknownEvent, UnreadableEvent, decode
from contracts.monitor import (
    AlertAcknowledged,
    AlertKind,
    IncidentStored,
    WaitingThresholdPassed,
    WordingFlagged,
)
from contracts.people import ShopId
from kit.bus.ports import Record
from kit.errors import Dead
from services.monitor.alerting.domain import Happened, Over
from services.monitor.alerting.service import CONSUMER, Alerting

GROUP: Final = CONSUMER

GATHER_MS: Final = 200
"""What happens within it is one transaction a shop; from the event to a robot is a second more."""

ROWS: Final = 500
"""Alerts of one transaction at most: it is short, whatever the storm."""

_TYPES: Final = {
    kind.type.encode()
    for kind in (AlertAcknowledged, IncidentStored, WaitingThresholdPassed, WordingFlagged)
}
_OVER: Final = {
    AlertKind.WAITING: Over.WAITS,
    AlertKind.FLAG: Over.FLAGS,
    AlertKind.INCIDENT: Over.INCIDENTS,
}


class AlertFacts:
    """Counts what was told into alerts. An event counts once: the inbox keeps its id."""

    def __init__(self, alerting: Alerting) -> None:
        self._alerting = alerting

    async def __call__(self, records: list[Record]) -> None:
        """Take a batch. Raises `Dead` for all that cannot be read, first.

        Types of no concern here, and those of newer releases, are passed over undecoded.
        """
        events, dead = [], []
        for record in records:
            if record.header("ce_type") not in _TYPES:
                continue
            try:
                events.append(decode(record))
            except (UnknownEvent, UnreadableEvent) as unreadable:
                dead.append(Dead(str(unreadable), record))
        if dead:
            raise Dead.all_of(dead)
        await self._take(events)

    async def one(self, record: Record) -> None:
        """Take one record, from a replay of dead letters."""
        await self([record])

    async def _take(self, events: list[Event]) -> None:
        by_shop: defaultdict[ShopId, list[Happened]] = defaultdict(list)
        done: list[AlertAcknowledged] = []
        for event in events:
            if isinstance(event, AlertAcknowledged):
                done.append(event)
            elif (happened := happened_of(event)) is not None:
                by_shop[happened.shop_id].append(happened)
        for shop_id, happened_there in by_shop.items():
            await self._alerting.take(shop_id, happened_there)
        for event in done:
            await self._alerting.acknowledge(
                event.shop_id,
                event.id,
                over=_OVER[event.kind],
                conversation_id=event.conversation_id,
            )


def happened_of(event: Event) -> Happened | None:
    """Return what rules look at of an event: ids, numbers and marks, never words."""
    at_ms = round(event.time.timestamp() * 1000)
    match event:
        case WaitingThresholdPassed():
            return Happened(
                event.id,
                event.shop_id,
                Over.WAITS,
                at_ms,
                event.conversation_id,
                event.agent_id,
                value=event.threshold_s,
            )
        case WordingFlagged():
            return Happened(
                event.id,
                event.shop_id,
                Over.FLAGS,
                at_ms,
                event.conversation_id,
                event.sender_id if event.speaker == "agent" else None,
                marks={
                    "speaker": (event.speaker,),
                    "severity": tuple({hit.severity for hit in event.hits}),
                    "category": tuple({hit.category for hit in event.hits}),
                },
            )
        case IncidentStored():
            marks = {"action": (event.action,), "category": event.categories}
            return Happened(
                event.id,
                event.shop_id,
                Over.INCIDENTS,
                at_ms,
                event.conversation_id,
                event.agent_id,
                marks=marks,
            )
        case _:
            return None
