"""Creates the topics of contracts.topics and says what a cluster has of them.

Knows names, partitions and retention; must not know who reads or writes.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from contracts import topics as contract
from contracts.topics import Topic
from kit.bus.kafka.cluster import CLUSTER_DEFAULT, Cluster, NewTopic, create_topics
from kit.bus.kafka.options import Connection, Security
from kit.bus.ports import BusAway, UnknownTopic
from kit.settings import KafkaSettings, SettingsRefused
from launcher.errors import LaunchError
from launcher.instance.instance import Instance

T = TypeVar("T")


@dataclass(frozen=True)
class TopicLine:
    """A topic as it should be and as it is; `present` is the partition count, None if absent."""

    topic: NewTopic
    contract: Topic | None
    present: int | None


def ensure(known: Instance) -> list[str]:
    """Create an instance's missing topics and return their names.

    Raises LaunchError if Kafka is away or a topic has another number of partitions.
    """
    return _ensure(_connection(known.bootstrap_servers), production=known.kafka is not None)


def ensure_told(settings: KafkaSettings) -> list[str]:
    """Create the missing topics of a deployment, in the production sizes; else as `ensure`."""
    try:
        security = Security.from_settings(settings)
    except SettingsRefused as refused:
        raise LaunchError(f"{refused}.") from None
    return _ensure(
        _connection(settings.bootstrap_servers, settings.kafka_topic_prefix, security),
        production=True,
    )


def _ensure(connection: Connection, *, production: bool) -> list[str]:
    """Create the topics that are missing and return their names.

    Raises LaunchError if Kafka is away or a topic has another number of partitions.
    """
    made = _run(create_topics(connection, wanted(production=production)))
    for line in _run(_lines(connection, production=production)):
        if line.present != line.topic.partitions:
            raise LaunchError(
                f"The topic {line.topic.name} has {line.present} partitions where "
                f"{line.topic.partitions} are needed, and a topic keeps its number for life: "
                "use a fresh cluster, or a new version of that topic."
            )
    return made


def try_out(bootstrap_servers: str) -> None:
    """Return if brokers of yours answer. Raises LaunchError."""

    async def ping() -> None:
        cluster = Cluster(_connection(bootstrap_servers))
        try:
            await cluster.ping()
        finally:
            await cluster.close()

    try:
        asyncio.run(ping())
    except BusAway as error:
        raise LaunchError(
            f"No Kafka answers at {bootstrap_servers}: check the address and that it runs. "
            "Nothing was changed."
        ) from error


def lines(known: Instance) -> list[TopicLine]:
    """Return every topic beside what the cluster has."""
    connection = _connection(known.bootstrap_servers)
    return _run(_lines(connection, production=known.kafka is not None))


def wanted(*, production: bool) -> list[NewTopic]:
    """Return every topic and dead-letter topic; your own cluster gets the production sizes.

    Replication is the cluster's own default: 3 where there are three brokers.
    """
    size = 1 if production else 0
    listed = [
        NewTopic(topic.name, topic.partitions[size], CLUSTER_DEFAULT, _config(topic, size))
        for topic in contract.TOPICS
    ]
    kept = {"retention.ms": _milliseconds(contract.DEAD_RETENTION.total_seconds())}
    dead = [
        NewTopic(contract.DEAD_PREFIX + group, 1, CLUSTER_DEFAULT, kept)
        for group in contract.GROUPS
    ]
    return [*listed, *dead]


def _config(topic: Topic, size: int) -> dict[str, str]:
    if topic.retention is None:
        return {"cleanup.policy": "compact"}
    return {"retention.ms": _milliseconds(topic.retention[size].total_seconds())}


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


async def _lines(connection: Connection, *, production: bool) -> list[TopicLine]:
    by_name = {topic.name: topic for topic in contract.TOPICS}
    cluster = Cluster(connection)
    try:
        return [
            TopicLine(topic, by_name.get(topic.name), await _partitions(cluster, topic.name))
            for topic in wanted(production=production)
        ]
    finally:
        await cluster.close()


async def _partitions(cluster: Cluster, name: str) -> int | None:
    try:
        return (await cluster.facts(name)).partitions
    except UnknownTopic:
        return None


def _connection(
    bootstrap_servers: str, prefix: str = "", security: Security | None = None
) -> Connection:
    return Connection(bootstrap_servers, prefix, "peakdesk-launcher", security or Security())


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except BusAway as error:
        raise LaunchError(f"{error} Start ours with `./peakdesk up`.") from error
    except RuntimeError as error:
        raise LaunchError(f"{error}: see the broker's log, then run the command again.") from error
