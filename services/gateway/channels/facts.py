"""The smaller topics: each record to everybody who hears its topic.

The directory is read whole before the gateway is ready (H13). Knows where reading begins; must not
know what a record means, or who hears it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import structlog

from contracts.topics import ALERTS, BOARD, DIRECTORY, SIGNALS, STAFF, WORK, Topic
from kit.bus.loops import DirectReader
from kit.bus.ports import Bus, Consumer, Record, TopicPartition
from kit.clock import Clock
from kit.metrics import Metrics

WORK_SINCE_S: Final = 24 * 3600
"""The end of a work item that was given to somebody longer ago shows in REST alone."""

FACTS: Final = (DIRECTORY, SIGNALS, BOARD, ALERTS, WORK, STAFF)
"""The topics that are read here."""

_LATEST: Final = {topic.name for topic in (SIGNALS, BOARD, ALERTS, STAFF)}
"""Of these nothing is read that was told before."""

Hear = Callable[[Record], None]
"""Given a record of a topic; it is counted and passed over for whoever raises (H24)."""

Hearers = Mapping[Topic, Hear]
"""What somebody hears, by topic."""

log: Final = structlog.get_logger("gateway.facts")


class FactsChannel:
    """Reads these topics to who hears them. `reader` has caught up once the directory was read."""

    def __init__(
        self, bus: Bus, hearers: Iterable[Hearers], *, clock: Clock, metrics: Metrics
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._hears: dict[str, list[Hear]] = {topic.name: [] for topic in FACTS}
        for one in hearers:
            for topic, hear in one.items():
                self._hears[topic.name].append(hear)
        self.reader = DirectReader(
            bus,
            topics=[topic.name for topic in FACTS],
            name="gateway",
            take=self.handle,
            begin=self._begin,
            metrics=metrics,
        )

    def handle(self, records: Sequence[Record]) -> None:
        """Take one poll's records of one topic; what cannot be read is counted and passed over."""
        topic = records[0].topic
        skipped = sum(not self._heard(record) for record in records)
        self._metrics.consumed.labels("gateway", topic, "done").inc(len(records) - skipped)
        self._metrics.consumed.labels("gateway", topic, "skipped").inc(skipped)

    def _heard(self, record: Record) -> bool:
        """Let everybody hear a record; False if somebody could not read it."""
        heard = True
        for hear in self._hears[record.topic]:
            try:
                hear(record)
            except Exception as reason:  # noqa: BLE001 - a restart would meet the record again (H24)
                heard = False
                place = f"{record.topic}/{record.partition}@{record.offset}"
                log.warning("facts.skipped", at=place, kind=type(reason).__name__)
        return heard

    async def _begin(self, consumer: Consumer) -> Mapping[TopicPartition, int]:
        """Read the directory from the oldest record, work of a day, the rest from now.

        A board that was published before is asked for: an hour of tiles are a million records.
        """
        logs = consumer.assignment()
        whole = [tp for tp in logs if tp.topic == DIRECTORY.name]
        recent = [tp for tp in logs if tp.topic == WORK.name]
        rest = [tp for tp in logs if tp.topic in _LATEST]
        since = self._clock.now_ms() - WORK_SINCE_S * 1000
        return (
            await consumer.beginning_offsets(whole)
            | await consumer.offsets_for_times(dict.fromkeys(recent, since))
            | await consumer.end_offsets(rest)
        )
