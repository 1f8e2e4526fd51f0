"""Turns at something costly: few at once, and among those who wait one caller after the other.

Knows callers by a name and nothing of what they wait for.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from kit.errors import TooMany, Unavailable

LINE_LIMIT: Final = 32
"""Of one caller so many wait, unless told; one more is answered 429."""

WAITING_LIMIT: Final = 256
"""So many wait in all; one more is answered 503."""


class Turns:
    """Lets `at_once` in at a time. Who waits is let in by rotation among callers.

    So a caller who fills his line delays another by one turn for each that he himself has.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._waiting = 0

    @asynccontextmanager
    async def turn(self, address: str, *, line: int = LINE_LIMIT) -> AsyncIterator[None]:
        """Wait for a turn and hold it for the block; at most `line` of the caller wait.

        Raises `TooMany`, `Unavailable`. Whoever is cancelled while he waits has had no turn.
        """
        await self._take(address, line)
        try:
            yield
        finally:
            self._give()

    async def _take(self, address: str, limit: int) -> None:
        if self._free:
            self._free -= 1
            return
        line = self._lines.get(address, deque())
        if len(line) >= limit:
            raise TooMany("Too many sign in from this address at this moment: try again.")
        if self._waiting >= WAITING_LIMIT:
            raise Unavailable("Too many people sign in at this moment: try again.", retry_after=2)
        mine = asyncio.get_running_loop().create_future()
        line.append(mine)
        self._lines[address] = line
        self._waiting += 1
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._give()  # the turn came in the moment in which he left
            else:
                self._leave(address, mine)
            raise

    def _give(self) -> None:
        while self._lines:
            address, line = self._lines.popitem(last=False)
            first = line.popleft()
            self._waiting -= 1
            if line:
                self._lines[address] = line  # behind the others
            if not first.done():  # else he is leaving at this moment
                first.set_result(None)
                return
        self._free += 1

    def _leave(self, address: str, waiting: asyncio.Future[None]) -> None:
        line = self._lines.get(address)
        if line is None or waiting not in line:
            return  # passed over by `_give`
        line.remove(waiting)
        self._waiting -= 1
        if not line:
            del self._lines[address]
