"""The chat topic, whole: every record into the ring, then to those who watch.

Testing the raw key costs 0.06 µs and decoding 1 µs, so only watched conversations are decoded; only
lifecycle events always are (H9). Knows neither the ring nor who watches beyond what it tells them.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import structlog

from contracts.topics import CHAT
from kit.bus.loops import DirectReader
from kit.bus.ports import Bus, Consumer, Record, TopicPartition
from kit.clock import Clock
from kit.metrics import Metrics
from services.gateway.frames.records import Entry, entry_of

READER: Final = "gateway"
BATCH: Final = 2_000
"""Records of one poll at most; at 5 µs each the event loop is held for 10 ms."""

SKIPPED: Final = "skipped"
HANDLED: Final = "done"

log: Final = structlog.get_logger("gateway.chat")


class ChatWindow(Protocol):
    """The latest records of the topic (`history.Ring`)."""

    def begin(self, partition: int, offset: int) -> None:
        """Say where reading a partition begins."""

    def append(self, entry: Entry) -> Entry | None:
        """Keep a record; if its id is held already, drop it and return the first one (H1)."""

    def skip(self, partition: int, offset: int) -> None:
        """Pass over a record that is no event."""

    def evict(self, now_ms: int) -> None:
        """Let go of what is too old or too much."""


class Audience(Protocol):
    """Who watches conversations (`streams.ConversationStream`), and counts of all that it did."""

    delivered: int
    poisoned: int

    def deliver(self, told: Entry) -> None:
        """Show a record to who watches its conversation."""

    def conflict(self, entry: Entry, first: Entry) -> None:
        """An id came round again."""


class ChatChannel:
    """What the topic's records do here. `reader` has caught up once the ring is filled."""

    def __init__(
        self,
        bus: Bus,
        audience: Audience,
        *,
        ring: ChatWindow,
        clock: Clock,
        metrics: Metrics,
        ring_s: float,
    ) -> None:
        self._audience = audience
        self._ring = ring
        self._clock = clock
        self._ring_s = ring_s
        self.reader = DirectReader(
            bus,
            topics=[CHAT.name],
            name=READER,
            take=self.handle,
            begin=self._begin,
            max_rows=BATCH,
            metrics=metrics,
        )
        self._delivered = metrics.fanned_out
        self._handled = metrics.consumed.labels(READER, CHAT.name, HANDLED)
        self._skipped = metrics.consumed.labels(READER, CHAT.name, SKIPPED)

    async def end_of(self, partition: int) -> int:
        """Return the broker's end offset of a partition. Raises `BusAway`."""
        return await self.reader.end_of(TopicPartition(CHAT.name, partition))

    def handle(self, records: Sequence[Record]) -> None:
        """Take one poll's records of one partition."""
        audience = self._audience
        delivered, poisoned = audience.delivered, audience.poisoned
        skipped = 0
        for record in records:
            try:
                skipped += self._take(record)
            except Exception:  # a restart would meet the record again (H24)
                self._ring.skip(record.partition, record.offset)
                skipped += 1
                place = f"{record.topic}/{record.partition}@{record.offset}"
                log.exception("chat.skipped", at=place)
        self._ring.evict(self._clock.now_ms())
        self._delivered.inc(audience.delivered - delivered)
        self._handled.inc(len(records))
        self._skipped.inc(skipped + audience.poisoned - poisoned)

    def _take(self, record: Record) -> bool:
        """Keep a record and deliver it; True if it is no event of ours."""
        entry = entry_of(record)
        if entry is None:
            self._ring.skip(record.partition, record.offset)
            return True
        first = self._ring.append(entry)
        if first is not None:
            self._audience.conflict(entry, first)
        else:
            self._audience.deliver(entry)
        return False

    async def _begin(self, consumer: Consumer) -> Mapping[TopicPartition, int]:
        """Read from where the ring begins."""
        since = self._clock.now_ms() - round(self._ring_s * 1000)
        places = await consumer.offsets_for_times(dict.fromkeys(consumer.assignment(), since))
        for tp, offset in places.items():
            self._ring.begin(tp.partition, offset)
        return places
