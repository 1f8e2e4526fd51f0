"""Retention: deletes what has had its time, batch by batch.

Knows when and how long; must not know a table.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from kit.clock import Clock

EVERY_S: Final = 60.0

AT_MOST_S: Final = 5.0
"""How long one sweep goes on with batches: a process that stops waits for the sweep under way."""

Batch: TypeAlias = Callable[[], Awaitable[object]]
"""Deletes a few thousand rows at most, in a transaction of its own, and returns how many."""


class Retention:
    """Deletes old rows of several kinds, a batch of each in turn.

    All of a long pause in one statement would run into its time limit, each time again, and none
    would ever go; one batch a minute would never catch up with a busy day. So batches are small,
    and go on at once while they find something. Any number of replicas may sweep.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._batches: list[Batch] = []

    def add(self, batch: Batch) -> None:
        """Call `batch` in each sweep, again for as long as it returns that rows went."""
        self._batches.append(batch)

    async def sweep(self) -> None:
        """Delete until nothing old is left, or for `AT_MOST_S`; the rest waits for the next."""
        until = self._clock.monotonic() + AT_MOST_S
        left = list(self._batches)
        while left:
            left = [batch for batch in left if await batch()]
            if self._clock.monotonic() >= until:
                return
