"""Where partitions of the log end by now, asked on a connection of its own.

Knows the bus; must not know what the answer is for.
"""

import asyncio
from collections.abc import Collection
from typing import Final

from kit.bus.ports import Bus, BusAway, Consumer, TopicPartition

ASK_S: Final = 0.5
"""Longest wait for an answer: the next question is a newer one."""


class Ends:
    """A consumer that reads nothing and asks.

    On the fold's own connection a question waits out the fetch that the broker holds back to
    gather (ADR 20), and every threshold would come so much later.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._asking: Consumer | None = None

    async def ask(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset that the next record of each will get.

        Raises `BusAway`, within `ASK_S` once connected; then the next question connects anew,
        for a connection that answers nothing may be what is broken.
        """
        if self._asking is None:
            asking = self._bus.reader([])
            await asking.start()
            self._asking = asking
        try:
            async with asyncio.timeout(ASK_S):
                return await self._asking.end_offsets(partitions)
        except TimeoutError:
            await self.close()
            raise BusAway(f"No answer within {ASK_S:g} s where the log ends.") from None
        except BusAway:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the connection, if there is one."""
        asking, self._asking = self._asking, None
        if asking is not None:
            await asking.stop()
