"""Reads from the broker what has left the ring and is not archived yet (H10).

One catch-up at a time per partition, shared by everybody who waits for it. Knows the chat topic's
layout; must not know who asks.
"""

import asyncio
from typing import Final, NamedTuple

from kit.bus.ports import Bus, BusAway, Consumer, TopicPartition
from kit.clock import Clock
from services.gateway.frames.records import Entry, entry_of

POLL_MS: Final = 200
SHARED_FOR_S: Final = 2.0
"""A catch-up serves those who ask within this time: a lagging archive meets a storm of resumes."""


class GapTooLarge(Exception):
    """The missing records are too many, or the broker is too slow: the client tries again."""


class _Caught(NamedTuple):
    start: int
    end: int
    at: float
    by_key: dict[bytes, list[Entry]]


class GapReader:
    """Catches up on request. At `records` or `seconds` it gives up with `GapTooLarge`."""

    def __init__(
        self, bus: Bus, topic: str, *, clock: Clock, records: int = 50_000, seconds: float = 5.0
    ) -> None:
        self._bus = bus
        self._topic = topic
        self._clock = clock
        self._records = records
        self._seconds = seconds
        self._locks: dict[int, asyncio.Lock] = {}
        self._caught: dict[int, _Caught] = {}

    async def read(self, key: bytes, partition: int, *, start: int, end: int) -> list[Entry]:
        """Return the conversation's records in [start, end). Raises `GapTooLarge`."""
        if end - start > self._records:
            raise GapTooLarge(f"{end - start} records are neither archived nor in the ring")
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._locks.setdefault(partition, asyncio.Lock()),
            ):
                caught = self._caught.get(partition)
                if caught is None or not self._serves(caught, start, end):
                    caught = self._caught[partition] = await self._catch_up(partition, start, end)
        except (TimeoutError, BusAway) as reason:
            raise GapTooLarge("the broker did not hand out the gap in time") from reason
        return [e for e in caught.by_key.get(key, ()) if start <= e.offset < end]

    def forget(self) -> None:
        """Let go of catch-ups that nobody shares any more."""
        now = self._clock.monotonic()
        for partition, caught in list(self._caught.items()):
            if now - caught.at > SHARED_FOR_S:
                del self._caught[partition]

    def _serves(self, caught: _Caught, start: int, end: int) -> bool:
        fresh = self._clock.monotonic() - caught.at <= SHARED_FOR_S
        return fresh and caught.start <= start and end <= caught.end

    async def _catch_up(self, partition: int, start: int, end: int) -> _Caught:
        log = TopicPartition(self._topic, partition)
        reader = self._bus.reader([self._topic])
        await reader.start()
        try:
            reader.pause(reader.assignment() - {log})
            # What the log has let go of, nobody has: the archive's own alarm is its lag.
            oldest = (await reader.beginning_offsets([log]))[log]
            reader.seek(log, max(start, oldest))
            found = await self._collect(reader, log, end)
        finally:
            await reader.stop()
        return _Caught(start, end, self._clock.monotonic(), found)

    async def _collect(
        self, reader: Consumer, log: TopicPartition, end: int
    ) -> dict[bytes, list[Entry]]:
        by_key: dict[bytes, list[Entry]] = {}
        while await reader.position(log) < end:
            for record in (await reader.getmany(POLL_MS)).get(log, ()):
                entry = entry_of(record)
                if entry is not None and entry.offset < end:
                    by_key.setdefault(entry.key, []).append(entry)
        return by_key
