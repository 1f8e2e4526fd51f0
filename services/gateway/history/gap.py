"""Reads from the broker what has left the ring and is not archived yet (H10).

One catch-up at a time per partition, shared by everybody who waits for it. Knows the chat topic's
layout; must not know who asks.
"""

import asyncio
from collections import Counter
from typing import Final, NamedTuple

from kit.bus.ports import Bus, BusAway, Consumer, TopicPartition
from kit.clock import Clock
from services.gateway.frames.records import Entry, entry_of
from services.gateway.history.ring import ENTRY_OVERHEAD

POLL_MS: Final = 200
SHARED_FOR_S: Final = 2.0
"""A catch-up serves those who ask within this time: a lagging archive meets a storm of resumes."""

FORGET_S: Final = 5.0
"""Pause between two looks for catch-ups that nobody shares any more."""


class GapTooLarge(Exception):
    """The missing records are too many, or the broker is too slow: the client tries again."""


class _Span(NamedTuple):
    start: int
    end: int


class _Caught(NamedTuple):
    """What was read of a span, `by_key` None if that was more than may be held."""

    span: _Span
    at: float
    by_key: dict[bytes, list[Entry]] | None


class GapReader:
    """Catches up on request. At `records`, `octets` or `seconds` it gives up with `GapTooLarge`.

    `octets` bounds what is held of all partitions together, until nobody shares it any more.
    """

    def __init__(
        self,
        bus: Bus,
        topic: str,
        *,
        clock: Clock,
        records: int = 50_000,
        octets: int = 64 * 1024 * 1024,
        seconds: float = 5.0,
    ) -> None:
        self._bus = bus
        self._topic = topic
        self._clock = clock
        self._records = records
        self._octets_limit = octets
        self._seconds = seconds
        self._locks: dict[int, asyncio.Lock] = {}
        self._spans: dict[int, list[_Span]] = {}
        self._caught: dict[int, _Caught] = {}
        self._held: Counter[int] = Counter()

    async def read(self, key: bytes, partition: int, *, start: int, end: int) -> list[Entry]:
        """Return the conversation's records in [start, end). Raises `GapTooLarge`."""
        if end - start > self._records:
            raise GapTooLarge(f"{end - start} records are neither archived nor in the ring")
        span = _Span(start, end)
        spans = self._spans.setdefault(partition, [])
        spans.append(span)
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._locks.setdefault(partition, asyncio.Lock()),
            ):
                caught = self._caught.get(partition)
                if caught is None or not self._serves(caught, span):
                    caught = await self._catch_up(partition, self._shared(span, spans))
        except (TimeoutError, BusAway) as reason:
            raise GapTooLarge("the broker did not hand out the gap in time") from reason
        finally:
            spans.remove(span)
        if caught.by_key is None:
            raise GapTooLarge(f"more than {self._octets_limit} bytes are missing")
        return [e for e in caught.by_key.get(key, ()) if start <= e.offset < end]

    async def forget(self) -> None:
        """Let go of catch-ups that nobody shares any more."""
        now = self._clock.monotonic()
        for partition, caught in list(self._caught.items()):
            if now - caught.at > SHARED_FOR_S:
                self._drop(partition)

    def _serves(self, caught: _Caught, span: _Span) -> bool:
        """Tell whether a catch-up answers for a span, if only that it is too much."""
        if self._clock.monotonic() - caught.at > SHARED_FOR_S:
            return False
        if caught.by_key is None:
            return span.start <= caught.span.start and caught.span.end <= span.end
        return caught.span.start <= span.start and span.end <= caught.span.end

    def _shared(self, span: _Span, spans: list[_Span]) -> _Span:
        """Return what all who wait need, if that is not too much: one reading serves them."""
        start, end = min(one.start for one in spans), max(one.end for one in spans)
        return _Span(start, end) if end - start <= self._records else span

    def _drop(self, partition: int) -> None:
        self._caught.pop(partition, None)
        self._held.pop(partition, None)

    async def _catch_up(self, partition: int, span: _Span) -> _Caught:
        log = TopicPartition(self._topic, partition)
        self._drop(partition)
        reader = self._bus.reader([self._topic])
        await reader.start()
        found = None
        try:
            reader.pause(reader.assignment() - {log})
            # What the log has let go of, nobody has: the archive's own alarm is its lag.
            oldest = (await reader.beginning_offsets([log]))[log]
            reader.seek(log, max(span.start, oldest))
            found = await self._collect(reader, log, span.end)
        finally:
            if found is None:
                self._drop(partition)
            await reader.stop()
        caught = self._caught[partition] = _Caught(span, self._clock.monotonic(), found)
        return caught

    async def _collect(
        self, reader: Consumer, log: TopicPartition, end: int
    ) -> dict[bytes, list[Entry]] | None:
        """Return the records below an offset by conversation, None at the limit of bytes."""
        by_key: dict[bytes, list[Entry]] = {}
        while await reader.position(log) < end:
            for record in (await reader.getmany(POLL_MS)).get(log, ()):
                entry = entry_of(record)
                if entry is None or entry.offset >= end:
                    continue
                self._held[log.partition] += len(entry.value) + ENTRY_OVERHEAD
                if self._held.total() > self._octets_limit:
                    return None
                by_key.setdefault(entry.key, []).append(entry)
        return by_key
