"""Entry from the bus: messages that the gate held back. Knows no table."""

from typing import Final

from contracts.base import Event
from contracts.gateway import MessageHeld
from kit.errors import Dead
from services.monitor.evidence.service import Evidence

INCIDENTS: Final = "monitor.incidents"


class Incidents:
    """Messages that the gate held back."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    async def __call__(self, event: Event) -> None:
        """Store a held message; the incident's id is its key, a repeat inserts nothing."""
        match event:
            case MessageHeld():
                await self._evidence.keep_incident(event)
            case _:
                raise Dead(f"{event.type} is no event of this topic")
