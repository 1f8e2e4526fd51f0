"""How a gathering consumer asks: for many while records come, for the first after a silence."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from kit.bus.kafka.consumer import KafkaConsumer
from kit.bus.kafka.gathering import QUIET_MS
from kit.bus.kafka.options import AT_ONCE, GATHER_BYTES, Connection, Security

pytestmark = pytest.mark.unit

GATHERING = (GATHER_BYTES, 100)


class Inner:
    """Stands in for aiokafka's consumer: brings one record when told to."""

    def __init__(self) -> None:
        self._fetcher = SimpleNamespace(_fetch_min_bytes=GATHER_BYTES, _fetch_max_wait_ms=100)
        self.brings = False

    async def getmany(self, **_asked: object) -> dict[Any, list[Any]]:
        record = SimpleNamespace(offset=0, timestamp=0, key=b"k", value=b"v", headers=())
        return {TopicPartition("t", 0): [record]} if self.brings else {}

    @property
    def asks(self) -> tuple[int, int]:
        """Bytes that end the next fetch, and its longest wait."""
        return self._fetcher._fetch_min_bytes, self._fetcher._fetch_max_wait_ms


async def test_who_gathers_asks_for_the_first_record_after_a_silence_and_then_for_many() -> None:
    async def partitions(_topic: str) -> int:
        return 1

    connection = Connection("127.0.0.1:9092", "", "test", Security())
    consumer = KafkaConsumer(connection, ["t"], group="g", partitions=partitions, gather_ms=100)
    inner = Inner()
    consumer._inner = cast("AIOKafkaConsumer", inner)  # as far as it is asked here

    for _ in range(QUIET_MS // 100 - 1):
        await consumer.getmany(100)
    assert inner.asks == GATHERING, "a short silence is none"

    await consumer.getmany(100)
    assert inner.asks == AT_ONCE
    await consumer.getmany(100)
    assert inner.asks == AT_ONCE

    inner.brings = True
    await consumer.getmany(100)
    assert inner.asks == GATHERING
    inner.brings = False
    await consumer.getmany(100)
    assert inner.asks == GATHERING
