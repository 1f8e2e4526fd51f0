"""Partitions as the producer sees them: what waits for an ack, what for room, which key goes where.

Sends nothing: the producer fills the lanes and hands over what they hold.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, TypeAlias

import structlog
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidProducerEpoch,
    KafkaError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    UnknownProducerId,
)
from aiokafka.partitioner import murmur2

from kit.bus.kafka.options import BATCH_BYTES
from kit.bus.ports import STALLED_AFTER_S, BusAway, Message, Position, Refused, Stalled

log = structlog.get_logger()

ROOM_BYTES: Final = BATCH_BYTES - 4096
"""Unanswered bytes of a partition that aiokafka takes without making the sender wait."""

KEYS: Final = 100_000
"""Keys whose partition is remembered; then all are forgotten. The hash costs 13 µs in Python."""

_NO_MESSAGES_FAULT: Final = (
    ClusterAuthorizationFailedError,
    InvalidProducerEpoch,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    UnknownProducerId,
)
"""Final answers of the broker about the producer; every other one is about what was sent."""

Broken: TypeAlias = Callable[[BaseException], None]
"""Told of an error of the broker: later batches would be refused too."""

Partitions: TypeAlias = Callable[[str], Awaitable[int]]
"""Tells how many partitions a topic has. Raises `BusAway`."""


class Waiting(NamedTuple):
    """A message that waits for room, and its answer."""

    answer: asyncio.Future[Position]
    handed_at: float
    size: int
    message: Message


class Lane:
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

    def __init__(self, topic: str, partition: int, broken: Broken) -> None:
        self.topic = topic
        self.partition = partition
        self.broken = broken
        self.sent: deque[tuple[asyncio.Future[Position], float, int]] = deque()
        self.sent_bytes = 0
        self.backlog: deque[Waiting] = deque()
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
            refuse(answer, Refused(type(error).__name__) if blamed else Stalled())
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
            refuse(answer, Stalled())
        self.sent.clear()
        self.backlog.clear()
        self.sent_bytes = self.backlog_bytes = 0


class Lanes:
    """The lanes of the living producer, by topic and key."""

    def __init__(self, prefix: str, partitions: Partitions) -> None:
        """`prefix` is what the deployment puts before the names of topics."""
        self._prefix = prefix
        self._ask_partitions = partitions
        self._broken: Broken = _nothing
        self._partitions: dict[str, int] = {}
        self._lanes: dict[tuple[str, int], Lane] = {}
        self.by_key: dict[tuple[str, bytes], Lane] = {}
        """Those of keys that were asked for lately; stays the same dict."""

    def begin(self, broken: Broken) -> None:
        """Begin anew, for a producer of which `broken` is told what breaks it."""
        self.fail_all()
        self._broken = broken

    def known(self, topic: str, key: bytes) -> Lane | None:
        """Return the lane of a key; None while it is not known how many partitions there are."""
        lane = self.by_key.get((topic, key))
        if lane is not None:
            return lane
        count = self._partitions.get(topic)
        if count is None:
            return None
        # The hash of Kafka's own clients, so that other producers would agree.
        partition = (murmur2(key) & 0x7FFFFFFF) % count
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = Lane(self._prefix + topic, partition, self._broken)
            self._lanes[topic, partition] = lane
        if len(self.by_key) >= KEYS:
            self.by_key.clear()
        self.by_key[topic, key] = lane
        return lane

    async def find(self, topic: str, key: bytes) -> Lane | None:
        """Return the lane of a key, asking once for the topic's partitions: they never change."""
        if topic not in self._partitions:
            try:
                self._partitions[topic] = await self._ask_partitions(topic)
            except BusAway as away:
                log.warning("bus.producer.topic_unknown", topic=topic, detail=str(away))
        return self.known(topic, key)

    def unanswered(self) -> list[asyncio.Future[Position]]:
        """Return what is still to be answered, of all lanes."""
        return [answer for lane in self._lanes.values() for answer in lane.answers()]

    def fail_all(self) -> None:
        """Answer everything; the lanes are made anew, for late acks would answer the wrong ones."""
        lanes = list(self._lanes.values())
        self._lanes.clear()
        self.by_key.clear()
        for lane in lanes:
            lane.fail()


def refuse(answer: asyncio.Future[Position], error: Exception) -> None:
    """Answer a message with an error, unless it is answered."""
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # marks it as seen: a caller that went away is no news


def _nothing(_error: BaseException) -> None:
    """What breaks while no producer lives."""
