"""States that are over leave memory and database together, a few thousand at once.

Knows when; which states are over, the engine says.
"""

from collections.abc import Iterable
from typing import Final

from kit.clock import Clock
from services.monitor.fold.checkpoints import Checkpoints
from services.monitor.fold.engine import PartitionFold

EVERY_S: Final = 60.0

AT_ONCE: Final = 5_000
"""States that one transaction writes or deletes; after a day off the next sweep goes on."""


class Eviction:
    """Evicts the states of conversations about which nothing more can come."""

    def __init__(self, checkpoints: Checkpoints, clock: Clock) -> None:
        self._checkpoints = checkpoints
        self._clock = clock
        self._due_at = 0.0

    async def sweep(self, folds: Iterable[PartitionFold]) -> None:
        """Settle what is forgotten and remove it, behind the fence, if it is time. Call it often.

        When it raises, memory has forgotten what is stored still: load the state again.
        """
        now = self._clock.monotonic()
        if now < self._due_at:
            return
        more = False
        for fold in folds:
            changes = fold.forget(AT_ONCE)
            if changes.touched:
                await self._checkpoints.forget(changes)
                more = more or changes.touched == AT_ONCE
        self._due_at = now if more else now + EVERY_S
