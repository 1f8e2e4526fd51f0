"""A bus inside one process, for tests alone: it passes the suite that Kafka passes.

Can play a broker that is away: `withhold_acks` keeps what is sent, unanswered and unread.
"""

import asyncio
import uuid
import zlib
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from kit.bus.ports import (
    MESSAGE_BYTES,
    STALLED_AFTER_S,
    BusAway,
    Consumer,
    Message,
    OnPartitions,
    Position,
    Producer,
    Record,
    Stalled,
    TooLarge,
    TopicPartition,
    UnknownTopic,
)
from kit.bus.waking import Wakeable
from kit.clock import Clock, SystemClock
from kit.errors import Fenced

FETCH_RECORDS: Final = 1000
"""Records that one `getmany` returns when it is not told a limit."""


class MemoryBus:
    """Topics must be made with `add_topic`, unless `partitions` says how many each one has."""

    def __init__(self, *, partitions: int | None = None, clock: Clock | None = None) -> None:
        self._default = partitions
        self.clock = clock or SystemClock()
        self._logs: dict[str, list[list[Record]]] = {}
        self._ids: dict[str, str] = {}
        self._groups: dict[str, _Group] = {}
        self._arrival = asyncio.Event()
        self._withheld: list[tuple[Message, asyncio.Future[Position], float]] | None = None
        self.removed: set[Record] = set()

    def add_topic(self, name: str, partitions: int) -> None:
        """Make a topic."""
        self._logs[name] = [[] for _ in range(partitions)]
        self._ids[name] = uuid.uuid4().hex

    def withhold_acks(self) -> None:
        """From now on what is sent waits, as with a broker that does not answer."""
        if self._withheld is None:
            self._withheld = []

    def release_acks(self) -> None:
        """Write and acknowledge everything that waits, in order."""
        withheld, self._withheld = self._withheld or [], None
        for message, answer, _ in withheld:
            position = self._append(message)
            if not answer.done():
                answer.set_result(position)

    def lose(self) -> None:
        """Give up everything that waits, as a producer that was broken: it is nowhere written."""
        withheld, self._withheld = self._withheld or [], None
        for _, answer, _ in withheld:
            if not answer.done():
                answer.set_exception(Stalled())

    def compact(self, topic: str) -> None:
        """Remove, as a broker's cleaner, all but a key's newest record, and tombstones."""
        for log in self._topic(topic):
            newest = {record.key: record for record in log}
            kept = [one for one in newest.values() if one.value is not None]
            self.removed |= {*log} - {*kept}

    def records(self, topic: str) -> list[Record]:
        """Return everything on a topic, partition by partition."""
        return [record for log in self._topic(topic) for record in log]

    def producer(self) -> Producer:
        return MemoryProducer(self)

    def group_consumer(
        self,
        topics: Sequence[str],
        *,
        group: str,
        on_assigned: OnPartitions | None = None,
        on_revoked: OnPartitions | None = None,
        gather_ms: int = 0,
    ) -> Consumer:
        joined = self._groups.setdefault(group, _Group())
        return MemoryConsumer(
            self,
            topics,
            group=joined,
            on_assigned=on_assigned,
            on_revoked=on_revoked,
            gather_ms=gather_ms,
        )

    def reader(self, topics: Sequence[str]) -> Consumer:
        return MemoryConsumer(self, topics)

    async def topic_id(self, topic: str) -> str:
        self._topic(topic)
        return self._ids[topic]

    async def partitions(self, topic: str) -> int:
        return len(self._topic(topic))

    async def ping(self) -> None:
        if self._withheld is not None:
            raise BusAway("Acks are withheld.")

    async def close(self) -> None:
        """Nothing is held."""

    def log(self, tp: TopicPartition) -> list[Record]:
        """Return the records of one partition."""
        return self._topic(tp.topic)[tp.partition]

    def partition_for(self, topic: str, key: bytes) -> int:
        """Return the partition of a key."""
        return zlib.crc32(key) % len(self._topic(topic))

    def write(self, message: Message, answer: asyncio.Future[Position]) -> None:
        """Append and acknowledge, or keep for later while acks are withheld."""
        if self._withheld is None:
            answer.set_result(self._append(message))
        else:
            self._withheld.append((message, answer, self.clock.monotonic()))

    def waiting_since(self, topic: str, partition: int) -> float | None:
        """Return when the oldest unanswered message of a partition was handed over."""
        for message, _, at in self._withheld or ():
            if message.topic == topic and self.partition_for(topic, message.key) == partition:
                return at
        return None

    async def arrival(self) -> None:
        """Return when something arrives."""
        await self._arrival.wait()

    def _topic(self, topic: str) -> list[list[Record]]:
        if topic not in self._logs:
            if self._default is None:
                raise UnknownTopic(f"Topic {topic} is not there: `peakdesk topics`.")
            self.add_topic(topic, self._default)
        return self._logs[topic]

    def _append(self, message: Message) -> Position:
        partition = self.partition_for(message.topic, message.key)
        log = self._topic(message.topic)[partition]
        log.append(
            Record(
                message.topic,
                partition,
                len(log),
                self.clock.now_ms(),
                message.key,
                message.value,
                tuple(message.headers),
            )
        )
        self._arrival.set()
        self._arrival = asyncio.Event()
        return Position(partition, len(log) - 1)


class MemoryProducer:
    """`kit.bus.ports.Producer` in memory."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self._pending: set[asyncio.Future[Position]] = set()

    async def start(self) -> None:
        """Nothing to connect."""

    async def stop(self, timeout: float = 10.0) -> None:
        if self._pending:
            await asyncio.wait(self._pending, timeout=timeout)
        for answer in self._pending:
            answer.set_exception(Stalled())
            answer.exception()

    async def send_all(self, messages: Sequence[Message]) -> list[asyncio.Future[Position]]:
        loop = asyncio.get_running_loop()
        answers = []
        for message in messages:
            answer: asyncio.Future[Position] = loop.create_future()
            answers.append(answer)
            self._pending.add(answer)
            answer.add_done_callback(self._pending.discard)
            error = self._refusal(message)
            if error is None:
                self._bus.write(message, answer)
            else:
                answer.set_exception(error)
                answer.exception()
        return answers

    async def send(self, message: Message, timeout: float = 10.0) -> Position:
        (answer,) = await self.send_all([message])
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(answer)
        except TimeoutError:
            raise Stalled(f"No ack within {timeout:g} s.") from None

    def stalled(self, topic: str, key: bytes) -> bool:
        since = self._bus.waiting_since(topic, self._bus.partition_for(topic, key))
        return since is not None and self._bus.clock.monotonic() - since > STALLED_AFTER_S

    async def partition_for(self, topic: str, key: bytes) -> int:
        return self._bus.partition_for(topic, key)

    def _refusal(self, message: Message) -> Exception | None:
        if len(message.key) + len(message.value or b"") >= MESSAGE_BYTES:
            return TooLarge(f"over {MESSAGE_BYTES} bytes")
        return Stalled() if self.stalled(message.topic, message.key) else None


class _Group:
    """The members of a group, in the order of joining, and what the group has committed."""

    def __init__(self) -> None:
        self.members: list[MemoryConsumer] = []
        self.committed: dict[TopicPartition, int] = {}
        self._lock = asyncio.Lock()

    async def change(self, member: "MemoryConsumer", *, joins: bool) -> None:
        """Let a member in or out: everybody gives all partitions back, then gets new ones."""
        async with self._lock:
            for known in self.members:
                await known.revoke()
            (self.members.append if joins else self.members.remove)(member)
            for place, known in enumerate(self.members):
                every = known.all_partitions()
                share = [tp for tp in every if tp.partition % len(self.members) == place]
                await known.assign({tp: self.committed.get(tp, 0) for tp in share})


class MemoryConsumer(Wakeable):
    """`kit.bus.ports.Consumer` in memory."""

    def __init__(
        self,
        bus: MemoryBus,
        topics: Sequence[str],
        *,
        group: _Group | None = None,
        on_assigned: OnPartitions | None = None,
        on_revoked: OnPartitions | None = None,
        gather_ms: int = 0,
    ) -> None:
        super().__init__()
        self._bus = bus
        self._gather_s = gather_ms / 1000
        self._topics = tuple(topics)
        self._group = group
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._places: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._failure: Exception | None = None
        self._started = False

    async def start(self) -> None:
        self._started = True
        if self._group is None:
            self._places = dict.fromkeys(self.all_partitions(), 0)
        else:
            await self._group.change(self, joins=True)

    async def stop(self) -> None:
        if self._started and self._group is not None:
            await self._group.change(self, joins=False)
        self._started = False

    async def getmany(
        self, timeout_ms: int, max_records: int | None = None
    ) -> dict[TopicPartition, list[Record]]:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if not self._started:
            raise BusAway("This consumer is not started, or stopped.")
        wanted = max_records or FETCH_RECORDS
        if not self._gather_s or sum(self.lag().values()) >= wanted:
            taken = self._take(wanted)
            if taken or timeout_ms == 0:
                await asyncio.sleep(0)
                return taken
        if not any(self.lag().values()):
            await self.waits(self._bus.arrival(), timeout_ms / 1000)
        if self._gather_s and any(self.lag().values()):
            await asyncio.sleep(self._gather_s)
        return self._take(wanted)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self._group is None:
            raise TypeError("a reader has no group to commit for")
        if not offsets.keys() <= self._places.keys():
            raise Fenced("lost partitions before its commit")
        self._group.committed.update(offsets)

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        self._paused.update(tp for tp in partitions if tp in self._places)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        self._paused.difference_update(partitions)

    def paused(self) -> frozenset[TopicPartition]:
        return frozenset(self._paused)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        if tp not in self._places:
            raise BusAway(f"{tp} is not assigned here.")
        self._places[tp] = offset

    async def position(self, tp: TopicPartition) -> int:
        return self._places[tp]

    def lag(self) -> dict[TopicPartition, int]:
        return {tp: max(0, len(self._bus.log(tp)) - at) for tp, at in self._places.items()}

    def read_out_s(self) -> float | None:
        return None  # nothing is fetched here, so nothing is told by the way

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._places)

    async def beginning_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def end_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        return {tp: len(self._bus.log(tp)) for tp in partitions}

    async def offsets_for_times(
        self, moments_ms: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        return {
            tp: bisect_left(self._bus.log(tp), moment, key=lambda record: record.timestamp_ms)
            for tp, moment in moments_ms.items()
        }

    def all_partitions(self) -> list[TopicPartition]:
        """Return every partition of the topics."""
        return [
            TopicPartition(topic, partition)
            for topic in self._topics
            for partition in range(len(self._bus._topic(topic)))  # noqa: SLF001 - one module
        ]

    async def revoke(self) -> None:
        """Give everything back."""
        going = self.assignment()
        if going and self._on_revoked is not None:
            await self._tell(self._on_revoked, going)
        self._places.clear()
        self._paused.clear()

    async def assign(self, places: Mapping[TopicPartition, int]) -> None:
        """Take these partitions, each from its offset."""
        self._places = dict(places)
        if self._on_assigned is not None:
            self._paused = set(places)
            await self._tell(self._on_assigned, self.assignment())
            self._paused.clear()
        self.wake()

    async def _tell(self, told: OnPartitions, partitions: frozenset[TopicPartition]) -> None:
        try:
            await told(self, partitions)
        except Exception as failure:  # noqa: BLE001 - handed to whoever reads next
            self._failure = failure

    def _take(self, limit: int) -> dict[TopicPartition, list[Record]]:
        taken: dict[TopicPartition, list[Record]] = {}
        for tp, at in self._places.items():
            if tp in self._paused or limit == 0:
                continue
            records = self._bus.log(tp)[at : at + limit]
            self._places[tp] = at + len(records)
            if held := [one for one in records if one not in self._bus.removed]:
                taken[tp] = held
                limit -= len(held)
        return taken
