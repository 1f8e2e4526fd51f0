"""That nothing is left to read, a consumer knows from its fetches."""

from typing import Final

import pytest

from kit.bus.kafka import KafkaBus
from kit.bus.ports import Message, TopicPartition
from tests.suites.bus import MakeTopic

pytestmark = pytest.mark.integration

FETCH_MS: Final = 5_000


async def test_a_reader_that_has_read_out_knows_so_without_asking(
    bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic, producer = await make_topic(1), bus.producer()
    await producer.start()
    await producer.send(Message(topic, b"k", b"v"))
    reader = bus.reader([topic])
    await reader.start()
    assert reader.read_out_s() is None, "nothing was fetched yet"

    assert await reader.getmany(FETCH_MS)
    told_s = reader.read_out_s()
    assert told_s is not None
    assert told_s < FETCH_MS / 1000

    reader.pause(reader.assignment())
    await producer.send(Message(topic, b"k", b"v"))
    reader.seek(TopicPartition(topic, 0), 0)
    assert reader.read_out_s() is None, "something is left to read"
    await reader.stop()
    await producer.stop()
