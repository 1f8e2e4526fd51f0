"""Entry from the bus: what the gate held back, and what was meant. Knows no table."""

from typing import Final

from contracts.base import Event
from contracts.gateway import MessageHeld, WordingConfirmed
from kit.errors import Dead
from services.monitor.evidence.service import Evidence

INCIDENTS: Final = "monitor.incidents"


class Incidents:
    """Messages that the gate held back, and reasons for saying them all the same."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    async def __call__(self, event: Event) -> None:
        """Store it; the incident's id is its key, or the message's: a repeat inserts nothing."""
        match event:
            case MessageHeld():
                await self._evidence.keep_incident(event)
            case WordingConfirmed():
                await self._evidence.keep_confirmation(event)
            case _:
                raise Dead(f"{event.type} is no event of this topic")
