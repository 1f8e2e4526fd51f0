"""The bus suite on the real broker."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.metadata import MetadataRequest

from kit.bus.kafka import KafkaBus, topic_names
from kit.bus.kafka.consumer import CLOSE_TIMEOUT_S
from kit.bus.ports import BusAway, Message, TopicPartition
from tests.suites.bus import BusSuite, MakeTopic
from tests.suites.waking import WakeSuite

pytestmark = pytest.mark.integration


class TestKafkaBus(BusSuite, WakeSuite):
    """Everything the suites ask, answered by Kafka."""


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


@pytest.mark.parametrize(
    "connect",
    [
        lambda bus: bus.producer().start(),
        lambda bus: bus.group_consumer(["any"], group="leaving").start(),
        lambda bus: bus.ping(),
        lambda bus: topic_names(bus.connection),
    ],
    ids=["producer", "consumer", "question", "administrator"],
)
async def test_who_leaves_in_the_midst_of_connecting_leaves_no_connection_open(
    bus: KafkaBus,
    connect: Callable[[KafkaBus], Coroutine[Any, Any, object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, send = asyncio.Event(), AIOKafkaConnection.send

    def unanswered(self: Any, request: Any, **how: Any) -> Any:
        if not isinstance(request, MetadataRequest):
            return send(self, request, **how)
        asked.set()
        return asyncio.Event().wait()

    monkeypatch.setattr(AIOKafkaConnection, "send", unanswered)
    connecting = asyncio.create_task(connect(bus))
    await asked.wait()

    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)

    del connecting
    gc.collect()  # what nobody closed says so as it is collected, and that is an error here


async def test_a_question_after_one_that_was_given_up_is_answered(
    bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(1)
    given_up = asyncio.create_task(bus.ping())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)

    assert await bus.partitions(topic) == 1
