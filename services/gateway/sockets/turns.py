"""Numbers the turns of the event loop in which frames come, for all sockets together.

Knows the loop; must not know what is done in a turn.
"""

import asyncio


class LoopTurns:
    """One callback a turn, however many sockets ask."""

    def __init__(self) -> None:
        self._number = 0
        self._ends = False

    @property
    def now(self) -> int:
        """Return the number of this turn."""
        if not self._ends:
            self._ends = True
            asyncio.get_running_loop().call_soon(self._end)
        return self._number

    def _end(self) -> None:
        self._number += 1
        self._ends = False
