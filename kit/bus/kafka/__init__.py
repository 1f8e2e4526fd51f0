"""The bus on Kafka, through aiokafka: the only place that imports it.

Adds the deployment's prefix to topics and groups; chosen by `app.py` files alone.
"""

from collections.abc import Sequence
from typing import Self

from kit.bus.kafka.cluster import (
    Cluster,
    NewTopic,
    create_topics,
    delete_topics,
    topic_names,
)
from kit.bus.kafka.consumer import KafkaConsumer
from kit.bus.kafka.options import Connection, Security
from kit.bus.kafka.producer import KafkaProducer
from kit.bus.ports import Consumer, OnPartitions, Producer
from kit.clock import Clock, SystemClock
from kit.settings import KafkaSettings

__all__ = [
    "Connection",
    "KafkaBus",
    "NewTopic",
    "Security",
    "create_topics",
    "delete_topics",
    "topic_names",
]


class KafkaBus:
    """`kit.bus.ports.Bus` on the brokers at `bootstrap_servers` (host:port, by commas)."""

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        prefix: str = "",
        client_id: str = "peakdesk",
        security: Security | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.connection = Connection(bootstrap_servers, prefix, client_id, security or Security())
        self._clock = clock or SystemClock()
        self._cluster = Cluster(self.connection)
        self._partitions: dict[str, int] = {}

    @classmethod
    def from_settings(cls, settings: KafkaSettings, *, client_id: str) -> Self:
        """Return the bus that a process's settings name. Raises `SettingsRefused`."""
        return cls(
            settings.bootstrap_servers,
            prefix=settings.kafka_topic_prefix,
            client_id=client_id,
            security=Security.from_settings(settings),
        )

    def producer(self) -> Producer:
        return KafkaProducer(self.connection, self._clock, self.partitions)

    def group_consumer(
        self,
        topics: Sequence[str],
        *,
        group: str,
        on_assigned: OnPartitions | None = None,
        on_revoked: OnPartitions | None = None,
        gather_ms: int = 0,
    ) -> Consumer:
        return KafkaConsumer(
            self.connection,
            topics,
            group=group,
            partitions=self.partitions,
            on_assigned=on_assigned,
            on_revoked=on_revoked,
            gather_ms=gather_ms,
        )

    def reader(self, topics: Sequence[str]) -> Consumer:
        return KafkaConsumer(self.connection, topics, group=None, partitions=self.partitions)

    async def topic_id(self, topic: str) -> str:
        return (await self._cluster.facts(topic)).topic_id

    async def partitions(self, topic: str) -> int:
        known = self._partitions.get(topic)
        if known is None:
            known = self._partitions[topic] = (await self._cluster.facts(topic)).partitions
        return known

    async def ping(self) -> None:
        await self._cluster.ping()

    async def close(self) -> None:
        await self._cluster.close()
