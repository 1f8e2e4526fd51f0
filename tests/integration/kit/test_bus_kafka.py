"""The bus suite on the real broker."""

import asyncio
import gc
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from kit.bus.kafka import KafkaBus
from kit.bus.kafka.consumer import CLOSE_TIMEOUT_S
from kit.bus.ports import BusAway, Message, TopicPartition
from tests.suites.bus import BusSuite, MakeTopic

pytestmark = pytest.mark.integration


class TestKafkaBus(BusSuite):
    """Everything the suite asks, answered by Kafka."""


async def test_a_header_without_a_value_is_left_out(bus: KafkaBus, make_topic: MakeTopic) -> None:
    topic, producer = await make_topic(1), bus.producer()
    await producer.start()
    strange: Any = (("none", None), ("some", b"x"))
    await producer.send(Message(topic, b"k", b"v", strange))
    await producer.stop()
    reader = bus.reader([topic])
    await reader.start()
    (record,) = (await reader.getmany(5_000))[TopicPartition(topic, 0)]
    await reader.stop()

    assert record.headers == (("some", b"x"),)


async def test_who_asks_a_consumer_that_is_stopped_hears_so_at_once(
    bus: KafkaBus, make_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await make_topic(1)
    reader = bus.reader([topic])
    await reader.start()
    asked = asyncio.Event()

    async def unanswered(*_: object) -> dict[TopicPartition, int]:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(AIOKafkaConsumer, "end_offsets", unanswered)
    question = asyncio.create_task(reader.end_offsets([TopicPartition(topic, 0)]))
    await asked.wait()

    async with asyncio.timeout(CLOSE_TIMEOUT_S):
        await reader.stop()
        with pytest.raises(BusAway):
            await question


async def test_who_leaves_while_a_producer_connects_leaves_no_connection_open(
    bus: KafkaBus,
) -> None:
    starting = asyncio.create_task(bus.producer().start())
    await asyncio.sleep(0)

    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)

    del starting
    gc.collect()  # what nobody closed says so as it is collected, and that is an error here
