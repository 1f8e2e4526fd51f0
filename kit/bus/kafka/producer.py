"""The idempotent producer: hands over without waiting, knows how long a partition was silent.

Knows no group and no handler. Its answer is a position, `TooLarge`, or `Stalled`: outcome unknown.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from kit.bus.kafka.ending import bootstrapping, end_client
from kit.bus.kafka.lanes import Lane, Lanes, Partitions, Waiting, refuse
from kit.bus.kafka.options import Connection
from kit.bus.ports import MESSAGE_BYTES, BusAway, Message, Position, Stalled, TooLarge
from kit.clock import Clock

log = structlog.get_logger()

BACKLOG_BYTES: Final = 1024 * 1024
"""Bytes of a partition held here beyond that; what does not fit is answered `Stalled` at once."""

START_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 1.0
REBUILD_PAUSE_S: Final = 1.0


class KafkaProducer:
    """`kit.bus.ports.Producer` on aiokafka."""

    def __init__(self, connection: Connection, clock: Clock, partitions: Partitions) -> None:
        self._connection = connection
        self._clock = clock
        self._live: AIOKafkaProducer | None = None
        self._mending: asyncio.Task[None] | None = None
        self._stopped = False
        self._lanes = Lanes(connection.prefix, partitions)

    async def start(self) -> None:
        try:
            self._use(await self._connect())
        except BusAway as away:
            log.warning("bus.producer.away", detail=str(away))
            self._mending = asyncio.create_task(self._mend(None))

    async def stop(self, timeout: float = 10.0) -> None:
        self._stopped = True
        unanswered = self._lanes.unanswered()
        if unanswered and self._live is not None:
            await asyncio.wait(unanswered, timeout=timeout)
        flushed = all(answer.done() for answer in unanswered)
        self._lanes.fail_all()
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
        create_future, known = asyncio.get_running_loop().create_future, self._lanes.by_key.get
        now = self._clock.monotonic()
        answers: list[asyncio.Future[Position]] = []
        for message in messages:
            answer: asyncio.Future[Position] = create_future()
            answers.append(answer)
            lane = known((message.topic, message.key))
            if lane is None:
                lane = await self._lanes.find(message.topic, message.key)
            size = _size(message)
            if size > MESSAGE_BYTES:
                refuse(answer, TooLarge(f"{size} bytes for {message.topic}: send less at once"))
            elif lane is None or self._live is None or lane.stalled(now):
                refuse(answer, Stalled())
            elif lane.backlog or not lane.takes(size):
                self._wait_for_room(lane, Waiting(answer, now, size, message))
            else:
                await self._hand_over(lane, Waiting(answer, now, size, message))
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
        lane = self._lanes.known(topic, key)
        return lane is not None and lane.stalled(self._clock.monotonic())

    async def partition_for(self, topic: str, key: bytes) -> int:
        lane = await self._lanes.find(topic, key)
        if lane is None:
            raise BusAway(f"Nobody says how many partitions {topic} has: is the broker up?")
        return lane.partition

    async def _hand_over(self, lane: Lane, sending: Waiting) -> None:
        """Give one message to aiokafka; with room in the lane this does not suspend."""
        live, message = self._live, sending.message
        if live is None:
            refuse(sending.answer, Stalled())
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
            refuse(sending.answer, Stalled())
            self._broken(live, error)
        except BaseException:  # cancelled, or given something that is no bytes
            refuse(sending.answer, Stalled())
            raise
        else:
            lane.sent.append((sending.answer, sending.handed_at, sending.size))
            lane.sent_bytes += sending.size
            ack.add_done_callback(lane.acked)

    def _wait_for_room(self, lane: Lane, sending: Waiting) -> None:
        if lane.backlog_bytes + sending.size > BACKLOG_BYTES:
            refuse(sending.answer, Stalled("Too much waits for this partition already."))
            return
        lane.backlog.append(sending)
        lane.backlog_bytes += sending.size
        if lane.pump is None:
            lane.pump = asyncio.create_task(self._pump(lane))

    async def _pump(self, lane: Lane) -> None:
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
        self._lanes.begin(partial(self._broken, live))
        self._live = live

    def _broken(self, live: AIOKafkaProducer, error: BaseException) -> None:
        """Give up a producer whose sequence is broken: later batches would only be refused."""
        if live is not self._live:
            return
        log.error("bus.producer.broken", error=type(error).__name__, detail=str(error))
        self._live = None
        self._lanes.fail_all()
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
                with bootstrapping():
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
