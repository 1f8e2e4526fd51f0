"""The first wait: nothing is folded before the directory is known."""

import asyncio
from typing import Final

DIRECTORY_S: Final = 50.0
"""Longest wait for the directory at the start; then the start fails and says so."""


class Wait:
    """A role that is started once something has happened, and then does nothing.

    Roles start in order, but a loop reads only once it runs: its `run` begins right after its own
    start, so the next role may wait for what it read.
    """

    def __init__(self, happened: asyncio.Event) -> None:
        self._happened = happened
        self._over = asyncio.Event()

    async def start(self) -> None:
        """Wait. Raises `TimeoutError` after `DIRECTORY_S`."""
        async with asyncio.timeout(DIRECTORY_S):
            await self._happened.wait()

    async def run(self) -> None:
        """Wait for the end."""
        await self._over.wait()

    async def stop(self) -> None:
        """End."""
        self._over.set()
