"""Questions about topics that aiokafka's own requests cannot ask, and making or deleting topics.

Topic ids came with version 10 of Kafka's Metadata request; aiokafka 0.14 speaks version 5.
"""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, ClassVar, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin import NewTopic as _NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)
from typing_extensions import override

from kit.bus.kafka.ending import bootstrapping, end_client
from kit.bus.kafka.options import Connection
from kit.bus.ports import BusAway, UnknownTopic

ASK_TIMEOUT_S: Final = 5.0
ADMIN_TIMEOUT_S: Final = 30.0

CLUSTER_DEFAULT: Final = -1
"""As a topic's replication: whatever the cluster's `default.replication.factor` says."""
VISIBLE_PAUSE_S: Final = 0.02


@dataclass(frozen=True)
class TopicFacts:
    """What a broker says about a topic."""

    topic_id: str
    partitions: int


@dataclass(frozen=True)
class NewTopic:
    """A topic to be made; `config` holds Kafka's own names, such as `retention.ms`.

    `replication` may be `CLUSTER_DEFAULT`.
    """

    name: str
    partitions: int
    replication: int = 1
    config: Mapping[str, str] = field(default_factory=dict)


class Cluster:
    """A connection that asks, made when first needed and made anew after any failure."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client: AIOKafkaClient | None = None
        self._lock = asyncio.Lock()

    async def facts(self, topic: str) -> TopicFacts:
        """Return the facts of a topic, given without prefix. Raises `BusAway`, `UnknownTopic`."""
        answer = await self._ask(_Ask([self._connection.prefix + topic]))
        error, _, topic_id, _, partitions, _, _ = answer.topics[0]
        if error != 0:
            raise UnknownTopic(
                f"Topic {self._connection.prefix + topic}: {for_code(error).__name__}."
                " Create the topics first: `peakdesk topics`."
            )
        return TopicFacts(base64.urlsafe_b64encode(topic_id).decode().rstrip("="), len(partitions))

    async def ping(self) -> None:
        """Return if a broker answers. Raises `BusAway`."""
        await self._ask(_Ask([]))

    async def close(self) -> None:
        """Close the connection, if there is one."""
        client, self._client = self._client, None
        if client is not None:
            await end_client(client)

    async def _ask(self, question: "_Ask") -> Any:
        async with self._lock:
            try:
                async with asyncio.timeout(ASK_TIMEOUT_S):
                    if self._client is None:
                        self._client = AIOKafkaClient(**self._connection.client())
                        with bootstrapping():
                            await self._client.bootstrap()
                    return await self._client.send(self._client.get_random_node(), question)
            except BaseException as error:
                await self.close()  # also for who is leaving: half a connection answers nobody
                if not isinstance(error, (KafkaError, OSError, TimeoutError)):
                    raise
                where = self._connection.bootstrap_servers
                raise BusAway(f"No Kafka broker answers at {where}: is it running?") from error


async def create_topics(connection: Connection, topics: Sequence[NewTopic]) -> list[str]:
    """Make the topics that are missing; return the names (without prefix) of those made.

    Raises `BusAway`, and `RuntimeError` with the broker's reason for a topic it refuses.
    """
    wanted = [
        _NewTopic(
            connection.prefix + topic.name,
            topic.partitions,
            topic.replication,
            # aiokafka takes -1 for a factor only beside an empty assignment.
            replica_assignments={} if topic.replication == CLUSTER_DEFAULT else None,
            topic_configs=dict(topic.config),
        )
        for topic in topics
    ]
    async with Admin(connection) as admin:
        answer = await admin.create_topics(wanted)
    made = []
    for name, code, *reason in answer.topic_errors:
        error = for_code(code)
        if code == 0:
            made.append(name.removeprefix(connection.prefix))
        elif error is not TopicAlreadyExistsError:
            raise RuntimeError(f"Kafka refused topic {name}: {error.__name__} {reason}")
    await _until_visible(connection, made)
    return made


async def topic_names(connection: Connection) -> list[str]:
    """Return the names, without prefix, of the topics that carry this deployment's prefix."""
    async with Admin(connection) as admin:
        names = await admin.list_topics()
    prefix = connection.prefix
    return sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix))


async def delete_topics(connection: Connection, names: Sequence[str]) -> None:
    """Delete topics, given without prefix, with everything in them."""
    if names:
        async with Admin(connection) as admin:
            await admin.delete_topics([connection.prefix + name for name in names])


async def _until_visible(connection: Connection, names: Sequence[str]) -> None:
    """Wait until a broker tells of the topics: its metadata runs a moment behind the controller."""
    cluster = Cluster(connection)
    try:
        async with asyncio.timeout(ADMIN_TIMEOUT_S):
            for name in names:
                while not await _visible(cluster, name):  # noqa: ASYNC110 - Kafka tells nobody
                    await asyncio.sleep(VISIBLE_PAUSE_S)
    except TimeoutError:
        raise BusAway(f"Kafka made topics it does not show after {ADMIN_TIMEOUT_S:g} s.") from None
    finally:
        await cluster.close()


async def _visible(cluster: Cluster, name: str) -> bool:
    try:
        await cluster.facts(name)
    except UnknownTopic:
        return False
    return True


class Admin:
    """aiokafka's admin client for one call, its failures under our name."""

    def __init__(self, connection: Connection) -> None:
        self._where = connection.bootstrap_servers
        self._client = AIOKafkaAdminClient(**connection.client())
        self._timeout = asyncio.timeout(ADMIN_TIMEOUT_S)

    async def __aenter__(self) -> AIOKafkaAdminClient:
        await self._timeout.__aenter__()
        try:
            with bootstrapping():
                await self._client.start()
        except (KafkaError, OSError) as error:
            await self._client.close()
            raise BusAway(f"No Kafka broker answers at {self._where}: is it running?") from error
        return self._client

    async def __aexit__(self, *raised: object) -> None:
        try:
            await self._client.close()
        finally:
            await self._timeout.__aexit__(*raised)  # type: ignore[arg-type] # passed on


class _Uuid(AbstractType[bytes]):  # type: ignore[misc] # aiokafka ships no types
    """Sixteen raw bytes."""

    @classmethod
    @override
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    @override
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


_NO_ID: Final = bytes(16)
_TAGS: Final = ("tags", TaggedFields)


class _MetadataResponse12(Response):  # type: ignore[misc] # aiokafka ships no types
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                _TAGS,
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        _TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _MetadataRequest12(RequestStruct):  # type: ignore[misc] # aiokafka ships no types
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse12
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _TAGS,
    )


class _Ask(Request[_MetadataRequest12]):  # type: ignore[misc] # aiokafka ships no types
    """Asks for the metadata of the named topics; an empty list asks for none of them."""

    API_KEY: ClassVar[int] = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    @override
    def build(self, request_struct_class: type[_MetadataRequest12]) -> _MetadataRequest12:
        no_tags: dict[int, bytes] = {}
        asked = [(_NO_ID, name, no_tags) for name in self._topics]
        create_it = tell_operations = False
        return request_struct_class(asked, create_it, tell_operations, no_tags)
