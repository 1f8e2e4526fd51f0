"""Turns of the event loop: long work lets others run between two of its steps.

Must not know what the work is.
"""

import asyncio
from typing import Final

HOLD_S: Final = 0.002
"""So long work holds the event loop, and a step more. In records it would be no limit: on a busy
machine one takes three times as long as on an idle one."""


class Slice:
    """One turn of the event loop; the next begins with `end`."""

    def __init__(self) -> None:
        self._time = asyncio.get_running_loop().time
        self._until = self._time() + HOLD_S

    @property
    def is_over(self) -> bool:
        """Tell, between two steps, whether others should run."""
        return self._time() >= self._until

    async def end(self) -> None:
        """Let others run, and begin anew."""
        await asyncio.sleep(0)
        self._until = self._time() + HOLD_S
