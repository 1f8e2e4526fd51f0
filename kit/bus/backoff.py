"""Partitions that rest after a `Retry`: paused, read again from the same record, resumed in time.

Knows one consumer's partitions; the rest of a whole group is `kit.bus.resting`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from kit.bus.ports import Consumer, Record, TopicPartition
from kit.bus.settling import Deferred
from kit.clock import Clock
from kit.metrics import Metrics

log = structlog.get_logger()

BACKOFF_S: Final = (0.25, 0.5, 1.0, 2.0, 5.0)
"""Rest of a partition after the first, second, ... `Retry` in a row."""


@dataclass
class _Hold:
    """A partition that waits, after a `Retry` or for the end of a rest."""

    resume_at: float
    tries: int


class Backoff:
    """The partitions that wait. One that was handled since begins with the shortest rest again."""

    def __init__(self, name: str, *, clock: Clock, metrics: Metrics) -> None:
        self._name = name
        self._clock = clock
        self._metrics = metrics
        self._holds: dict[TopicPartition, _Hold] = {}

    def __contains__(self, tp: TopicPartition) -> bool:
        return tp in self._holds

    @property
    def is_empty(self) -> bool:
        """Whether all partitions are well."""
        return not self._holds

    def defer(self, consumer: Consumer, later: Deferred) -> None:
        """Let the partitions of these records rest, then read them again from there."""
        now = self._clock.monotonic()
        first: dict[TopicPartition, int] = {}
        for record in later.records:
            first.setdefault(record.tp, record.offset)
        for tp, offset in first.items():
            tries = self._holds[tp].tries + 1 if tp in self._holds else 0
            pause = 0.0 if later.at_once else BACKOFF_S[min(tries, len(BACKOFF_S) - 1)]
            self._holds[tp] = _Hold(now + pause, tries)
            consumer.seek(tp, offset)
            consumer.pause([tp])
            self._metrics.consumed.labels(self._name, tp.topic, "retried").inc()
        log.warning("bus.loop.retry", name=self._name, reason=later.reason, partitions=len(first))

    def resume_due(self, consumer: Consumer) -> None:
        """Resume the partitions whose rest is over."""
        if self._holds:
            now = self._clock.monotonic()
            paused = consumer.paused()
            due = [tp for tp, hold in self._holds.items() if now >= hold.resume_at]
            consumer.resume([tp for tp in due if tp in paused])

    def settled(self, records: Iterable[Record]) -> None:
        """Note records that were handled: their partitions are well again."""
        if self._holds:
            for tp in {record.tp for record in records}:
                self._holds.pop(tp, None)

    def rested_since(self, moment: float) -> bool:
        """Tell whether a partition rests, or did after this moment of the monotonic clock."""
        return any(hold.resume_at > moment for hold in self._holds.values())

    def clear(self) -> None:
        """Forget all: the consumer is another, or its partitions are."""
        self._holds.clear()
