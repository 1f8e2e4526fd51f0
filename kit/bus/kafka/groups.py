"""Consumer groups from outside: who is in one, where it stands, and setting it elsewhere.

Knows no handler; whether a group may be set elsewhere is for whoever asks.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import CommitFailedError, KafkaError, for_code

from kit.bus.kafka.cluster import ADMIN_TIMEOUT_S, Admin
from kit.bus.kafka.ending import bootstrapping, end_consumer
from kit.bus.kafka.options import Connection
from kit.bus.ports import BusAway, TopicPartition

RETRY_S: Final = 0.2
"""A broker that is just becoming a group's coordinator is asked again after this time."""


FACTS_TIMEOUT_S: Final = 30.0
"""Two answers for each group, which a broker that is just starting takes seconds for."""

STOP_TIMEOUT_S: Final = 5.0


class GroupInUse(Exception):
    """The group has members: the broker takes positions from them alone."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a group, as the broker knows it; between two assignments it has no partitions."""

    client_id: str
    host: str
    partitions: tuple[TopicPartition, ...]


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What a broker says of a group; names carry no prefix.

    `state` is the broker's own word: `Stable`, `Empty`, `PreparingRebalance`; `Dead` where the
    group never was. `committed` is the offset that it reads next.
    """

    group: str
    state: str
    members: tuple[Member, ...]
    committed: Mapping[TopicPartition, int]


async def group_facts(connection: Connection, groups: Sequence[str]) -> list[GroupFacts]:
    """Return the facts of groups, in the order asked. Raises `BusAway`."""
    try:
        async with asyncio.timeout(FACTS_TIMEOUT_S), Admin(connection) as admin:
            return [await _facts(admin, connection.prefix, group) for group in groups]
    except (KafkaError, OSError, TimeoutError) as error:
        raise _away(connection, error) from error


async def set_positions(
    connection: Connection, group: str, offsets: Mapping[TopicPartition, int]
) -> None:
    """Let a group that nobody is in go on from these offsets. Raises `GroupInUse`, `BusAway`."""
    theirs = {_theirs(connection, tp): offset for tp, offset in offsets.items()}
    consumer = AIOKafkaConsumer(**connection.consumer(group))
    consumer.assign(list(theirs))
    consumer.pause(*theirs)
    try:
        async with asyncio.timeout(ADMIN_TIMEOUT_S):
            with bootstrapping():
                await consumer.start()
            await consumer.commit(theirs)
    except CommitFailedError as refused:
        raise GroupInUse from refused
    except (KafkaError, OSError, TimeoutError) as error:
        raise _away(connection, error) from error
    finally:
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await consumer.stop()
        except TimeoutError:
            await end_consumer(consumer)


async def _facts(admin: AIOKafkaAdminClient, prefix: str, group: str) -> GroupFacts:
    name = prefix + group
    coordinator = await _coordinator(admin, name)
    (answer,) = await admin.describe_consumer_groups([name], coordinator)
    error, _, state, _, _, members, *_ = answer.groups[0]
    if error:
        raise for_code(error)(name)
    offsets = await admin.list_consumer_group_offsets(name, coordinator)
    return GroupFacts(
        group,
        state,
        tuple(_member(prefix, member) for member in members),
        {_ours(prefix, tp): kept.offset for tp, kept in offsets.items() if kept.offset >= 0},
    )


async def _coordinator(admin: AIOKafkaAdminClient, name: str) -> int:
    """Return the broker that knows the group; a cluster's first group has none for a moment."""
    while True:
        try:
            return int(await admin.find_coordinator(name))
        except KafkaError as error:
            if not error.retriable:
                raise
        await asyncio.sleep(RETRY_S)


def _member(prefix: str, told: Sequence[Any]) -> Member:
    _, client_id, host, _, assigned = told
    theirs: list[Any] = []
    if assigned:
        theirs = ConsumerProtocolMemberAssignment.decode(assigned).partitions()
    partitions = sorted(_ours(prefix, tp) for tp in theirs)
    return Member(client_id, host.removeprefix("/"), tuple(partitions))


def _ours(prefix: str, theirs: KafkaPartition) -> TopicPartition:
    return TopicPartition(theirs.topic.removeprefix(prefix), theirs.partition)


def _theirs(connection: Connection, tp: TopicPartition) -> KafkaPartition:
    return KafkaPartition(connection.prefix + tp.topic, tp.partition)


def _away(connection: Connection, error: BaseException) -> BusAway:
    where = connection.bootstrap_servers
    return BusAway(f"Kafka at {where}: {type(error).__name__} {error}".strip())
