"""The idempotent producer: hands over without waiting, knows how long a partition was silent.

Knows no group and no handler. Its answer is a position, `TooLarge`, or `Stalled`: outcome unknown.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidProducerEpoch,
    KafkaError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    UnknownProducerId,
)
from aiokafka.partitioner import murmur2

from kit.bus.kafka.ending import end_client
from kit.bus.kafka.options import BATCH_BYTES, Connection
from kit.bus.ports import (
    MESSAGE_BYTES,
    STALLED_AFTER_S,
    BusAway,
    Message,
    Position,
    Refused,
    Stalled,
    TooLarge,
)
from kit.clock import Clock

log = structlog.get_logger()

ROOM_BYTES: Final = BATCH_BYTES - 4096
"""Unanswered bytes of a partition that aiokafka takes without making the sender wait."""

BACKLOG_BYTES: Final = 1024 * 1024
"""Bytes of a partition held here beyond that; what does not fit is answered `Stalled` at once."""

KEYS: Final = 100_000
"""Keys whose partition is remembered; then all are forgotten. The hash costs 13 µs in Python."""

START_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 1.0
REBUILD_PAUSE_S: Final = 1.0

_NO_MESSAGES_FAULT: Final = (
    ClusterAuthorizationFailedError,
    InvalidProducerEpoch,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    UnknownProducerId,
)
"""Final answers of the broker about the producer; every other one is about what was sent."""

Partitions = Callable[[str], Awaitable[int]]


class _Waiting(NamedTuple):
    """A message that waits for room, and its answer."""

    answer: asyncio.Future[Position]
    handed_at: float
    size: int
    message: Message


class _Lane:
    """One partition of one living producer: what waits for an ack, oldest first, and for room."""

    __slots__ = (
        "backlog",
        "backlog_bytes",
        "broken",
        "partition",
        "pump",
        "sent",
        "sent_bytes",
        "topic",
    )

    def __init__(self, topic: str, partition: int, broken: Callable[[BaseException], None]) -> None:
        self.topic = topic
        self.partition = partition
        self.broken = broken
        self.sent: deque[tuple[asyncio.Future[Position], float, int]] = deque()
        self.sent_bytes = 0
        self.backlog: deque[_Waiting] = deque()
        self.backlog_bytes = 0
        self.pump: asyncio.Task[None] | None = None

    def acked(self, ack: "asyncio.Future[Any]") -> None:
        """Answer the oldest message: acks of a partition come in the order of its sends."""
        error = ack.exception()
        if not self.sent:
            return  # all of them were answered by `fail`
        answer, _, size = self.sent.popleft()
        self.sent_bytes -= size
        if error is not None:
            blamed = isinstance(error, KafkaError) and not isinstance(error, _NO_MESSAGES_FAULT)
            _refuse(answer, Refused(type(error).__name__) if blamed else Stalled())
            self.broken(error)
        elif not answer.done():
            answer.set_result(Position(self.partition, ack.result().offset))

    def stalled(self, now: float) -> bool:
        """Tell whether the oldest message waits too long (H18)."""
        return bool(self.sent) and now - self.sent[0][1] > STALLED_AFTER_S

    def takes(self, size: int) -> bool:
        """Tell whether aiokafka takes that many bytes more without waiting."""
        return not self.sent or self.sent_bytes + size <= ROOM_BYTES

    def answers(self) -> list[asyncio.Future[Position]]:
        """Return what is still to be answered."""
        return [sent[0] for sent in self.sent] + [waiting.answer for waiting in self.backlog]

    def fail(self) -> None:
        """Answer everything `Stalled` and stand empty."""
        if self.pump is not None:
            self.pump.cancel()
            self.pump = None
        for answer in self.answers():
            _refuse(answer, Stalled())
        self.sent.clear()
        self.backlog.clear()
        self.sent_bytes = self.backlog_bytes = 0


class KafkaProducer:
    """`kit.bus.ports.Producer` on aiokafka."""

    def __init__(self, connection: Connection, clock: Clock, partitions: Partitions) -> None:
        self._connection = connection
        self._clock = clock
        self._ask_partitions = partitions
        self._live: AIOKafkaProducer | None = None
        self._mending: asyncio.Task[None] | None = None
        self._stopped = False
        self._partitions: dict[str, int] = {}
        self._keys: dict[tuple[str, bytes], _Lane] = {}
        self._lanes: dict[tuple[str, int], _Lane] = {}

    async def start(self) -> None:
        try:
            self._use(await self._connect())
        except BusAway as away:
            log.warning("bus.producer.away", detail=str(away))
            self._mending = asyncio.create_task(self._mend(None))

    async def stop(self, timeout: float = 10.0) -> None:
        self._stopped = True
        unanswered = [answer for lane in self._lanes.values() for answer in lane.answers()]
        if unanswered and self._live is not None:
            await asyncio.wait(unanswered, timeout=timeout)
        flushed = all(answer.done() for answer in unanswered)
        self._fail_all()
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.gather(self._mending, return_exceptions=True)
        live, self._live = self._live, None
        if live is not None:
            await _close(live, flushed=flushed)

    async def send_all(self, messages: Sequence[Message]) -> list[asyncio.Future[Position]]:
        # The chat path: thousands of messages a second come through here. Measured with seven
        # headers: 12.8 µs a message, of which 7.5 are aiokafka's; the hash that the keys' memory
        # saves would be 12.8 more.
        create_future = asyncio.get_running_loop().create_future
        now = self._clock.monotonic()
        answers: list[asyncio.Future[Position]] = []
        for message in messages:
            answer: asyncio.Future[Position] = create_future()
            answers.append(answer)
            lane = self._keys.get((message.topic, message.key))
            if lane is None:
                lane = await self._find_lane(message.topic, message.key)
            size = _size(message)
            if size > MESSAGE_BYTES:
                _refuse(answer, TooLarge(f"{size} bytes for {message.topic}: send less at once"))
            elif lane is None or self._live is None or lane.stalled(now):
                _refuse(answer, Stalled())
            elif lane.backlog or not lane.takes(size):
                self._wait_for_room(lane, _Waiting(answer, now, size, message))
            else:
                await self._hand_over(lane, _Waiting(answer, now, size, message))
        return answers

    async def send(self, message: Message, timeout: float = 10.0) -> Position:
        (answer,) = await self.send_all([message])
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(answer)
        except TimeoutError:
            raise Stalled(f"No ack within {timeout:g} s.") from None

    def stalled(self, topic: str, key: bytes) -> bool:
        if self._live is None:
            return True
        lane = self._lane(topic, key)
        return lane is not None and lane.stalled(self._clock.monotonic())

    async def partition_for(self, topic: str, key: bytes) -> int:
        lane = await self._find_lane(topic, key)
        if lane is None:
            raise BusAway(f"Nobody says how many partitions {topic} has: is the broker up?")
        return lane.partition

    def _lane(self, topic: str, key: bytes) -> _Lane | None:
        lane = self._keys.get((topic, key))
        if lane is not None:
            return lane
        count = self._partitions.get(topic)
        if count is None:
            return None
        # The hash of Kafka's own clients, so that other producers would agree.
        partition = (murmur2(key) & 0x7FFFFFFF) % count
        lane = self._lanes.get((topic, partition))
        if lane is None:
            broken = partial(self._broken, self._live)
            lane = _Lane(self._connection.prefix + topic, partition, broken)
            self._lanes[topic, partition] = lane
        if len(self._keys) >= KEYS:
            self._keys.clear()
        self._keys[topic, key] = lane
        return lane

    async def _find_lane(self, topic: str, key: bytes) -> _Lane | None:
        """Return the lane of a key, asking once for the topic's partitions: they never change."""
        if topic not in self._partitions:
            try:
                self._partitions[topic] = await self._ask_partitions(topic)
            except BusAway as away:
                log.warning("bus.producer.topic_unknown", topic=topic, detail=str(away))
        return self._lane(topic, key)

    async def _hand_over(self, lane: _Lane, sending: _Waiting) -> None:
        """Give one message to aiokafka; with room in the lane this does not suspend."""
        live, message = self._live, sending.message
        if live is None:
            _refuse(sending.answer, Stalled())
            return
        try:
            ack = await live.send(
                lane.topic,
                message.value,
                message.key,
                partition=lane.partition,
                headers=list(message.headers),
            )
        except KafkaError as error:
            _refuse(sending.answer, Stalled())
            self._broken(live, error)
        except BaseException:  # cancelled, or given something that is no bytes
            _refuse(sending.answer, Stalled())
            raise
        else:
            lane.sent.append((sending.answer, sending.handed_at, sending.size))
            lane.sent_bytes += sending.size
            ack.add_done_callback(lane.acked)

    def _wait_for_room(self, lane: _Lane, sending: _Waiting) -> None:
        if lane.backlog_bytes + sending.size > BACKLOG_BYTES:
            _refuse(sending.answer, Stalled("Too much waits for this partition already."))
            return
        lane.backlog.append(sending)
        lane.backlog_bytes += sending.size
        if lane.pump is None:
            lane.pump = asyncio.create_task(self._pump(lane))

    async def _pump(self, lane: _Lane) -> None:
        """Hand over the backlog in order, whenever acks make room. Ends when it is empty."""
        while lane.backlog:
            if not lane.takes(lane.backlog[0].size):
                await asyncio.wait([lane.sent[0][0]])
                continue
            sending = lane.backlog.popleft()
            lane.backlog_bytes -= sending.size
            await self._hand_over(lane, sending)
        lane.pump = None

    def _use(self, live: AIOKafkaProducer) -> None:
        """Go on with this producer; lanes asked for before it belong to none."""
        self._fail_all()
        self._live = live

    def _fail_all(self) -> None:
        """Answer everything; the lanes are made anew, for late acks would answer the wrong ones."""
        lanes = list(self._lanes.values())
        self._lanes.clear()
        self._keys.clear()
        for lane in lanes:
            lane.fail()

    def _broken(self, live: AIOKafkaProducer | None, error: BaseException) -> None:
        """Give up a producer whose sequence is broken: later batches would only be refused."""
        if live is None or live is not self._live:
            return
        log.error("bus.producer.broken", error=type(error).__name__, detail=str(error))
        self._live = None
        self._fail_all()
        if not self._stopped:
            self._mending = asyncio.create_task(self._mend(live))

    async def _mend(self, old: AIOKafkaProducer | None) -> None:
        """Close the old producer before the new one starts, so that no old batch lands late."""
        if old is not None:
            await _abandon(old)
        while not self._stopped:
            try:
                live = await self._connect()
            except BusAway:
                await self._clock.sleep(REBUILD_PAUSE_S)
            else:
                self._use(live)
                log.info("bus.producer.connected", client_id=self._connection.client_id)
                return

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(**self._connection.producer())
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await producer.start()
        except BaseException as error:
            await _abandon(producer)  # also for a caller who is leaving: nobody else knows of it
            if not isinstance(error, (KafkaError, OSError, TimeoutError)):
                raise
            where = self._connection.bootstrap_servers
            raise BusAway(f"No Kafka broker answers at {where}: is it running?") from error
        return producer


def _size(message: Message) -> int:
    """Return about the bytes that the message takes in a batch; headers by their usual size."""
    value = message.value
    return 64 + len(message.key) + (len(value) if value else 0) + 48 * len(message.headers)


def _refuse(answer: asyncio.Future[Position], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # marks it as seen: a caller that went away is no news


async def _close(producer: AIOKafkaProducer, *, flushed: bool) -> None:
    """Stop aiokafka's producer within a few seconds, also where it would wait for its broker."""
    if flushed:
        stopping = asyncio.create_task(producer.stop())
        await asyncio.wait([stopping], timeout=CLOSE_TIMEOUT_S)
        if stopping.done():
            await asyncio.gather(stopping, return_exceptions=True)
            return
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
    await _abandon(producer)


async def _abandon(producer: AIOKafkaProducer) -> None:
    """Close the connections and end the sender; what was unanswered has been answered by us.

    There is no public way: `stop` flushes first, and the flush waits as long as the broker is away.
    """
    producer._closed = True  # noqa: SLF001 - it would warn that nobody closed it
    sender = producer._sender.sender_task  # noqa: SLF001
    if sender is not None:
        sender.cancel()
    await end_client(producer.client)
    if sender is not None:
        await asyncio.wait([sender], timeout=CLOSE_TIMEOUT_S)
