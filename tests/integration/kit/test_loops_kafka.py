"""The loops' suite on the real broker."""

import pytest
from aiokafka import AIOKafkaProducer
from typing_extensions import override

from kit.bus.kafka import KafkaBus
from kit.bus.ports import Bus
from tests.suites.loops import LoopsSuite

pytestmark = pytest.mark.integration


class TestLoopsOnKafka(LoopsSuite):
    """Everything the suite asks."""

    @override
    async def end_in_a_gap(self, bus: Bus, topic: str) -> None:
        """Commit a transaction: its marker takes the last offset, and no reader is given it.

        A broker compacts no segment that is still written to, so a record that it removed at the
        very end cannot be had on command; to a reader both look alike.
        """
        assert isinstance(bus, KafkaBus)
        producer = AIOKafkaProducer(
            bootstrap_servers=bus.connection.bootstrap_servers,
            transactional_id=f"{bus.connection.prefix}{topic}",
        )
        await producer.start()
        try:
            async with producer.transaction():
                await producer.send(bus.connection.prefix + topic, key=b"k0", value=b"k0:99")
        finally:
            await producer.stop()
