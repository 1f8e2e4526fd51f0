"""The idempotent producer: hands over without waiting, knows how long a partition was silent.

Knows no group and no handler. Its answer is a position, `TooLarge`, or `Stalled`: outcome unknown.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from kit.bus.kafka.options import BATCH_BYTES, Connection
from kit.bus.ports import (
    MESSAGE_BYTES,
    STALLED_AFTER_S,
    BusAway,
    Message,
    Position,
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
"""Keys whose partition is remembered; then all are forgotten. The hash costs 15 µs in Python."""

START_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 3.0
REBUILD_PAUSE_S: Final = 1.0

Partitions = Callable[[str], Awaitable[int]]


class _Sent:
    """A message on its way: when it was handed over, its size, its answer."""

    __slots__ = ("answer", "handed_at", "message", "size")

    def __init__(
        self, message: Message, size: int, handed_at: float, answer: asyncio.Future[Position]
    ) -> None:
        self.message = message
        self.size = size
        self.handed_at = handed_at
        self.answer = answer


class _Lane:
    """One partition: what waits for an ack (oldest first) and what waits for room."""

    __slots__ = ("backlog", "backlog_bytes", "partition", "pump", "sent", "sent_bytes", "topic")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.sent: deque[_Sent] = deque()
        self.sent_bytes = 0
        self.backlog: deque[_Sent] = deque()
        self.backlog_bytes = 0
        self.pump: asyncio.Task[None] | None = None

    def trim(self) -> None:
        """Forget what was answered; acks of a partition come in the order of its sends."""
        sent = self.sent
        while sent and sent[0].answer.done():
            self.sent_bytes -= sent.popleft().size

    def stalled(self, now: float) -> bool:
        self.trim()
        return bool(self.sent) and now - self.sent[0].handed_at > STALLED_AFTER_S

    def takes(self, size: int) -> bool:
        return not self.sent or self.sent_bytes + size <= ROOM_BYTES

    def fail(self) -> None:
        """Answer everything `Stalled` and stand empty."""
        if self.pump is not None:
            self.pump.cancel()
            self.pump = None
        for waiting in (*self.sent, *self.backlog):
            _refuse(waiting.answer, Stalled())
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
            self._live = await self._connect()
        except BusAway as away:
            log.warning("bus.producer.away", detail=str(away))
            self._mending = asyncio.create_task(self._mend(None))

    async def stop(self, timeout: float = 10.0) -> None:
        self._stopped = True
        waiting = [s.answer for lane in self._lanes.values() for s in (*lane.sent, *lane.backlog)]
        unanswered = [answer for answer in waiting if not answer.done()]
        if unanswered and self._live is not None:
            await asyncio.wait(unanswered, timeout=timeout)
        self._fail_all()
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.gather(self._mending, return_exceptions=True)
        live, self._live = self._live, None
        if live is not None:
            await _close(live)

    async def send_all(self, messages: Sequence[Message]) -> list[asyncio.Future[Position]]:
        loop = asyncio.get_running_loop()
        now = self._clock.monotonic()
        answers: list[asyncio.Future[Position]] = []
        for message in messages:
            answer: asyncio.Future[Position] = loop.create_future()
            answers.append(answer)
            size = _size(message)
            if size > MESSAGE_BYTES:
                _refuse(answer, TooLarge(f"{size} bytes for {message.topic}: send less at once"))
                continue
            if message.topic not in self._partitions:
                await self._learn(message.topic)
            lane = self._lane(message.topic, message.key)
            if self._live is None or lane is None or lane.stalled(now):
                _refuse(answer, Stalled())
            elif lane.backlog or not lane.takes(size):
                self._wait_for_room(lane, _Sent(message, size, now, answer))
            else:
                await self._hand_over(lane, _Sent(message, size, now, answer))
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

    def partition_for(self, topic: str, key: bytes) -> int:
        lane = self._lane(topic, key)
        if lane is None:
            raise BusAway(f"The partitions of {topic} are not known yet.")
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
            lane = self._lanes[topic, partition] = _Lane(self._connection.prefix + topic, partition)
        if len(self._keys) >= KEYS:
            self._keys.clear()
        self._keys[topic, key] = lane
        return lane

    async def _learn(self, topic: str) -> None:
        """Ask once for the partitions of a topic; their number never changes."""
        try:
            self._partitions[topic] = await self._ask_partitions(topic)
        except BusAway as away:
            log.warning("bus.producer.topic_unknown", topic=topic, detail=str(away))

    async def _hand_over(self, lane: _Lane, sending: _Sent) -> None:
        """Give one message to aiokafka; with room in the lane this does not suspend."""
        live, message = self._live, sending.message
        lane.sent.append(sending)
        lane.sent_bytes += sending.size
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
            self._broken(live, error)
            _refuse(sending.answer, Stalled())
        except BaseException:  # cancelled, or given something that is no bytes
            _refuse(sending.answer, Stalled())
            raise
        else:
            ack.add_done_callback(partial(self._answer, live, sending))

    def _answer(self, live: AIOKafkaProducer, sending: _Sent, ack: "asyncio.Future[Any]") -> None:
        error = None if ack.cancelled() else ack.exception()
        if error is not None:
            self._broken(live, error)
        if sending.answer.done():
            return
        if ack.cancelled() or error is not None:
            _refuse(sending.answer, Stalled())
            return
        placed = ack.result()
        sending.answer.set_result(Position(placed.partition, placed.offset))

    def _wait_for_room(self, lane: _Lane, sending: _Sent) -> None:
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
            lane.trim()
            if not lane.takes(lane.backlog[0].size):
                await asyncio.wait([lane.sent[0].answer])
                continue
            sending = lane.backlog.popleft()
            lane.backlog_bytes -= sending.size
            await self._hand_over(lane, sending)
        lane.pump = None

    def _fail_all(self) -> None:
        for lane in self._lanes.values():
            lane.fail()

    def _broken(self, live: AIOKafkaProducer, error: BaseException) -> None:
        """Give up a producer whose sequence is broken: later batches would only be refused."""
        if live is not self._live:
            return
        log.error("bus.producer.broken", error=type(error).__name__, detail=str(error))
        self._live = None
        self._fail_all()
        if not self._stopped:
            self._mending = asyncio.create_task(self._mend(live))

    async def _mend(self, old: AIOKafkaProducer | None) -> None:
        """Close the old producer before the new one starts, so that no old batch lands late."""
        if old is not None:
            await _close(old)
        while not self._stopped:
            try:
                self._live = await self._connect()
            except BusAway:
                await self._clock.sleep(REBUILD_PAUSE_S)
            else:
                log.info("bus.producer.connected", client_id=self._connection.client_id)
                return

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(**self._connection.producer())
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await producer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            await _close(producer)
            where = self._connection.bootstrap_servers
            raise BusAway(f"No Kafka broker answers at {where}: is it running?") from error
        return producer


def _size(message: Message) -> int:
    """Return at least the bytes that the message takes in a batch."""
    size = 32 + len(message.key)
    if message.value is not None:
        size += len(message.value)
    for name, value in message.headers:
        size += 10 + len(name) * 4 + len(value)
    return size


def _refuse(answer: asyncio.Future[Position], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # marks it as seen: a caller that went away is no news


async def _close(producer: AIOKafkaProducer) -> None:
    """Stop aiokafka's producer within a few seconds even where it would wait for its broker."""
    stopping = asyncio.create_task(producer.stop())
    await asyncio.wait([stopping], timeout=CLOSE_TIMEOUT_S)
    if not stopping.done():
        # Its flush waits for acks that may never come: take the connections and the sender away.
        await producer.client.close()
        sender = producer._sender.sender_task  # noqa: SLF001 - no public way to stop without a flush
        if sender is not None:
            sender.cancel()
            await asyncio.wait([sender], timeout=CLOSE_TIMEOUT_S)
        producer._message_accumulator.fail_all(Stalled())  # noqa: SLF001 - ends the flush
        await asyncio.wait([stopping], timeout=CLOSE_TIMEOUT_S)
        stopping.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
