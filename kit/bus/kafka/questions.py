"""Questions to a consumer: answered, given up after a time, or cut short by its end."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

from kit.bus.ports import BusAway

ASK_TIMEOUT_S: Final = 10.0


class Questions:
    """Those of one consumer. A closing client of aiokafka answers nobody, and tells nobody so."""

    def __init__(self) -> None:
        self._asked: set[asyncio.Future[Any]] = set()

    async def ask(self, asking: Awaitable[Any]) -> Any:
        """Return the answer. Raises `TimeoutError`, and `BusAway` if the consumer ends."""
        question = asyncio.ensure_future(asking)
        self._asked.add(question)
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                return await question
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and not task.cancelling():
                raise BusAway("This consumer is stopped.") from None
            raise
        finally:
            self._asked.discard(question)

    def cut_short(self) -> None:
        """End all: who asks may hold what a group's leaving waits for."""
        for question in self._asked:
            question.cancel()
