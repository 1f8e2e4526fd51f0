"""The bus suite on the real broker."""

import itertools
from collections.abc import AsyncIterator

import pytest

from kit.bus.kafka import KafkaBus, NewTopic, create_topics
from kit.bus.ports import Bus
from tests.infrastructure import Infrastructure
from tests.suites.bus import BusSuite, MakeTopic

pytestmark = pytest.mark.integration

_NUMBERS = itertools.count()


class TestKafkaBus(BusSuite):
    """Everything the suite asks, answered by Kafka."""

    @pytest.fixture
    async def bus(self, infra: Infrastructure, kafka_prefix: str) -> AsyncIterator[Bus]:
        bus = KafkaBus(infra.bootstrap_servers, prefix=kafka_prefix)
        yield bus
        await bus.close()

    @pytest.fixture
    def make_topic(self, bus: KafkaBus) -> MakeTopic:
        async def make(partitions: int) -> str:
            name = f"suite.{next(_NUMBERS)}"
            assert await create_topics(bus.connection, [NewTopic(name, partitions)]) == [name]
            return name

        return make
