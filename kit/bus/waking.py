"""A wait that somebody else may end. Knows no record, and not why it is ended."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Wakeable:
    """What waits for one thing at a time: `wake` ends that wait, and none that begins later."""

    def __init__(self) -> None:
        self._wait: asyncio.Timeout | None = None

    def wake(self) -> None:
        """End the wait that is under way, if there is one."""
        wait, self._wait = self._wait, None
        # One whose time was up in this turn of the loop ends in the next, and cannot be moved.
        if wait is not None and not wait.expired():
            wait.reschedule(0)

    async def waits(self, awaited: Awaitable[T], seconds: float | None = None) -> T | None:
        """Return what is awaited, which raises no `TimeoutError` itself.

        None if nothing came within `seconds`, or before `wake`: then it was cancelled.
        """
        try:
            async with asyncio.timeout(seconds) as self._wait:
                return await awaited
        except TimeoutError:
            return None
        finally:
            self._wait = None
