"""What aiokafka knows of a consumer's partitions from its fetches: asks nobody, waits for nothing.

`position()` of a consumer would wait, so its state is read.
"""

import time
from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition


def lag(consumer: AIOKafkaConsumer) -> Iterator[tuple[KafkaPartition, int]]:
    """Yield the records not yet handed out of each partition of which a fetch has come back."""
    for partition, place in _places(consumer):
        if place.highwater is not None and place.has_valid_position:
            yield partition, max(0, place.highwater - place.position)


def read_out_s(consumer: AIOKafkaConsumer) -> float | None:
    """Return how long ago the broker last said of each partition that nothing was left to read.

    None if it said otherwise, or nothing yet.
    """
    told_ms = []
    for _, place in _places(consumer):
        is_known = place.highwater is not None and place.has_valid_position
        if not is_known or place.highwater > place.position:
            return None
        told_ms.append(place.timestamp)
    ago_s = time.time() - min(told_ms, default=0) / 1000
    # aiokafka notes the time of day: after it was set back nothing is known.
    return ago_s if told_ms and ago_s >= 0 else None


def _places(consumer: AIOKafkaConsumer) -> Iterator[tuple[KafkaPartition, Any]]:
    state = consumer._subscription.subscription  # noqa: SLF001
    assignment = None if state is None else state.assignment
    if assignment is not None:
        for partition in assignment.tps:
            yield partition, assignment.state_value(partition)
