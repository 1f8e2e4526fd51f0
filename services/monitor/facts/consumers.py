"""Entry from the bus: the states of agents. Knows no table."""

from typing import Final

from contracts.base import Event
from contracts.conversation import AgentStateChanged
from kit.errors import Dead
from services.monitor.facts.service import Facts

STAFF: Final = "monitor.staff"


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
