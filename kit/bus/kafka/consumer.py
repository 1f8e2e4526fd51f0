"""The consumer: a group's member, or a reader of all partitions, with aiokafka's errors renamed.

Knows no handler; `kit.bus.loops` decides what happens to records.
"""

import asyncio
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import (
    CommitFailedError,
    ConsumerStoppedError,
    IllegalStateError,
    KafkaError,
)
from typing_extensions import override

from kit.bus.kafka import places
from kit.bus.kafka.ending import bootstrapping, end_consumer, end_task
from kit.bus.kafka.gathering import Gathering
from kit.bus.kafka.options import Connection
from kit.bus.kafka.questions import Questions
from kit.bus.ports import BusAway, Headers, OnPartitions, Record, TopicPartition
from kit.bus.waking import Wakeable
from kit.errors import Fenced

log = structlog.get_logger()

START_TIMEOUT_S: Final = 30.0
"""Connecting and the first assignment; a second member needs about 3 s to join."""

COMMIT_TIMEOUT_S: Final = 3.0
CLOSE_TIMEOUT_S: Final = 2.0

T = TypeVar("T")


class KafkaConsumer(Wakeable):
    """`kit.bus.ports.Consumer` on aiokafka."""

    def __init__(
        self,
        connection: Connection,
        topics: Sequence[str],
        *,
        group: str | None,
        partitions: Callable[[str], Awaitable[int]],
        on_assigned: OnPartitions | None = None,
        on_revoked: OnPartitions | None = None,
        gather_ms: int = 0,
    ) -> None:
        super().__init__()
        self._gather_ms = gather_ms
        self._gathering = Gathering(gather_ms)
        self._connection = connection
        self._topics = tuple(topics)
        self._group = group
        self._ask_partitions = partitions
        self._listener = _Listener(self, on_assigned, on_revoked)
        self._inner: AIOKafkaConsumer | None = None
        self._ours: dict[KafkaPartition, TopicPartition] = {}
        self._unread: set[KafkaPartition] = set()
        """What a reader fetches from the first `getmany` on: what it asks before, it asks on the
        same connection, and there would wait out a fetch that brings nothing."""
        self._questions = Questions()

    async def start(self) -> None:
        inner = AIOKafkaConsumer(**self._connection.consumer(self._group, self._gather_ms))
        self._inner = inner
        try:
            with self._renamed():
                async with asyncio.timeout(START_TIMEOUT_S):
                    if self._group is None:
                        self._unread = set(await self._all_partitions())
                        inner.assign(self._unread)
                        inner.pause(*self._unread)
                    else:
                        names = [self._connection.prefix + topic for topic in self._topics]
                        inner.subscribe(names, listener=self._listener)
                    with bootstrapping():
                        await inner.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        inner, self._inner = self._inner, None
        if inner is None:
            return
        self._questions.cut_short()
        refreshing = inner._client._sync_task  # noqa: SLF001 - `stop` forgets it
        stopping = asyncio.create_task(inner.stop())
        done, _ = await asyncio.wait([stopping], timeout=CLOSE_TIMEOUT_S)
        if not done:
            # It hangs while leaving a group whose coordinator is away.
            log.warning("bus.consumer.abandoned", group=self._group)
            await end_task(stopping)
            await end_consumer(inner)
        await end_task(refreshing)
        await asyncio.gather(stopping, return_exceptions=True)

    async def getmany(
        self, timeout_ms: int, max_records: int | None = None
    ) -> dict[TopicPartition, list[Record]]:
        self._listener.raise_failure()
        if self._unread:
            self._started.resume(*self._unread)
            self._unread.clear()
        # Cancelled by `wake`, it loses nothing: aiokafka takes records out without a wait.
        fetched = await self.waits(self._fetched(timeout_ms, max_records))
        self._gathering.polled(self._inner, timeout_ms, found=bool(fetched))
        return {
            (tp := self.tp_of(theirs)): [
                Record(tp[0], tp[1], r.offset, r.timestamp, r.key, r.value, _valued(r.headers))
                for r in records
            ]
            for theirs, records in (fetched or {}).items()
        }

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        with self._renamed():
            try:
                async with asyncio.timeout(COMMIT_TIMEOUT_S):
                    await self._started.commit(
                        {self._theirs(tp): offset for tp, offset in offsets.items()}
                    )
            except (CommitFailedError, IllegalStateError) as error:
                raise Fenced(f"{self._group} lost partitions before its commit") from error

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        mine = self.assignment()
        resting = {self._theirs(tp) for tp in partitions if tp in mine}
        self._unread -= resting
        self._started.pause(*resting)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        mine = self.assignment()
        self._started.resume(*(self._theirs(tp) for tp in partitions if tp in mine))

    def paused(self) -> frozenset[TopicPartition]:
        return frozenset(map(self.tp_of, self._started.paused() - self._unread))

    def seek(self, tp: TopicPartition, offset: int) -> None:
        with self._renamed():
            self._started.seek(self._theirs(tp), offset)

    async def position(self, tp: TopicPartition) -> int:
        return int(await self._ask(self._started.position(self._theirs(tp))))

    def lag(self) -> dict[TopicPartition, int]:
        return {self.tp_of(theirs): behind for theirs, behind in places.lag(self._started)}

    def read_out_s(self) -> float | None:
        return places.read_out_s(self._started)

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self.tp_of(theirs) for theirs in self._started.assignment())

    async def beginning_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        asked = [self._theirs(tp) for tp in partitions]
        answer = await self._ask(self._started.beginning_offsets(asked))
        return {self.tp_of(theirs): offset for theirs, offset in answer.items()}

    async def end_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        asked = [self._theirs(tp) for tp in partitions]
        answer = await self._ask(self._started.end_offsets(asked))
        return {self.tp_of(theirs): offset for theirs, offset in answer.items()}

    async def offsets_for_times(
        self, moments_ms: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        asked = {self._theirs(tp): moment for tp, moment in moments_ms.items()}
        answer = await self._ask(self._started.offsets_for_times(asked))
        found = {self.tp_of(tp): at.offset for tp, at in answer.items() if at is not None}
        later = [tp for tp in moments_ms if tp not in found]
        return found | (await self.end_offsets(later) if later else {})

    async def _fetched(
        self, timeout_ms: int, max_records: int | None
    ) -> dict[KafkaPartition, list[Any]]:
        with self._renamed():
            fetched: dict[KafkaPartition, list[Any]] = await self._started.getmany(
                timeout_ms=timeout_ms, max_records=max_records
            )
        return fetched

    @property
    def _started(self) -> AIOKafkaConsumer:
        if self._inner is None:
            raise BusAway("This consumer is not started, or stopped.")
        return self._inner

    async def _all_partitions(self) -> list[KafkaPartition]:
        return [
            KafkaPartition(self._connection.prefix + topic, partition)
            for topic in self._topics
            for partition in range(await self._ask_partitions(topic))
        ]

    async def _ask(self, asking: Awaitable[Any]) -> Any:
        with self._renamed():
            return await self._questions.ask(asking)

    def tp_of(self, theirs: KafkaPartition) -> TopicPartition:
        """Return our name of a partition; cached, for it is asked with every fetch."""
        ours = self._ours.get(theirs)
        if ours is None:
            topic = theirs.topic.removeprefix(self._connection.prefix)
            ours = self._ours[theirs] = TopicPartition(topic, theirs.partition)
        return ours

    def _theirs(self, tp: TopicPartition) -> KafkaPartition:
        return KafkaPartition(self._connection.prefix + tp.topic, tp.partition)

    @contextmanager
    def _renamed(self) -> Iterator[None]:
        try:
            yield
        except ConsumerStoppedError as error:
            raise BusAway("This consumer is stopped.") from error
        except (KafkaError, OSError, TimeoutError) as error:
            where = self._connection.bootstrap_servers
            raise BusAway(f"Kafka at {where}: {type(error).__name__} {error}".strip()) from error


def _valued(headers: Iterable[tuple[str, bytes | None]]) -> Headers:
    """Leave out headers without a value: Kafka allows them, no reader of ours expects one."""
    return tuple([header for header in headers if header[1] is not None])  # type: ignore[misc] # it is bytes then


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Tells the owner of partitions that come and go.

    Those that come stay paused until the owner is done, so that a seek precedes the first record.
    aiokafka only logs what a listener raises: here it fails the next `getmany`, for to go on from
    the wrong offset would be worse.
    """

    def __init__(
        self,
        consumer: KafkaConsumer,
        on_assigned: OnPartitions | None,
        on_revoked: OnPartitions | None,
    ) -> None:
        self._consumer = consumer
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._failure: Exception | None = None

    def raise_failure(self) -> None:
        """Raise, once, what a callback raised."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    @override
    async def on_partitions_assigned(self, assigned: set[KafkaPartition]) -> None:
        come = frozenset(map(self._consumer.tp_of, assigned))
        log.info("bus.consumer.assigned", partitions=len(come))
        if self._on_assigned is None:
            return
        self._consumer.pause(come)
        try:
            await self._on_assigned(self._consumer, come)
        except Exception as failure:  # noqa: BLE001 - handed to whoever reads next
            self._fail(failure)
        else:
            self._consumer.resume(come)

    @override
    async def on_partitions_revoked(self, revoked: set[KafkaPartition]) -> None:
        going = frozenset(map(self._consumer.tp_of, revoked))
        if self._on_revoked is None or not going:
            return
        try:
            await self._on_revoked(self._consumer, going)
        except Exception as failure:  # noqa: BLE001 - handed to whoever reads next
            self._fail(failure)

    def _fail(self, failure: Exception) -> None:
        self._failure = failure
        self._consumer.wake()
