"""Work of other services, as it arrives on the bus. Knows no table."""

from typing import Final

from contracts.base import Event
from contracts.work import WorkEscalated, WorkOpened, WorkOpenedV2, WorkSettled, WorkSettledV2
from services.conversation.routing.work import CONSUMER, Work

GROUP: Final = CONSUMER


class WorkItems:
    """Routes the work of other services."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def __call__(self, event: Event) -> None:
        """Apply the event; a repeat is stopped by the use case's inbox row."""
        match event:
            case WorkOpened():
                await self._work.opened(event.upgraded())
            case WorkOpenedV2():
                await self._work.opened(event)
            case WorkEscalated():
                await self._work.escalated(event)
            case WorkSettled() | WorkSettledV2():
                await self._work.settled(event)
            case _:
                pass  # our own `work.assigned`
