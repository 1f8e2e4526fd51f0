"""Dead letters: records set aside with their place and the reason, never with their body (H24).

Knows no handler; `replay` is given one. Nothing is ever produced to the source topic again.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Any, Final

import msgspec
import structlog

from kit.bus.ports import (
    Bus,
    BusAway,
    Consumer,
    Message,
    Producer,
    Record,
    TooLarge,
    TopicPartition,
    UnknownTopic,
)
from kit.clock import Clock, SystemClock
from kit.errors import Retry, Unavailable, Verdict
from kit.metrics import Metrics
from kit.text import clip

log = structlog.get_logger()

PREFIX: Final = "dead."
REASON_CHARS: Final = 300
LISTED: Final = 100_000
"""Letters kept in memory while a topic is read; older ones are dropped and the listing says so."""

READ_TIMEOUT_MS: Final = 500
IDLE_READS: Final = 10
"""Empty reads in a row after which a position that should be there counts as gone."""


@dataclass(frozen=True)
class DeadLetter:
    """A record's place, why it was set aside, and the hash of its value."""

    group: str
    topic: str
    partition: int
    offset: int
    reason: str
    hash: str
    at_ms: int

    @property
    def tp(self) -> TopicPartition:
        """The log that the record stands in."""
        return TopicPartition(self.topic, self.partition)

    @property
    def place(self) -> tuple[str, int, int]:
        """Where the record stands."""
        return self.topic, self.partition, self.offset


@dataclass
class Replayed:
    """What became of the letters of one replay."""

    done: int = 0
    failed: int = 0
    gone: int = 0
    """No longer in the log, or not the record that was set aside."""


class DeadLetters:
    """Sets records of one group aside, on the topic `dead.<group>`."""

    def __init__(
        self,
        producer: Producer,
        group: str,
        *,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._producer = producer
        self._group = group
        self._clock = clock or SystemClock()
        self._metrics = metrics or Metrics()

    async def add(self, record: Record, reason: str) -> None:
        """Set a record aside; on return it is durable. Raises `Retry` without Kafka."""
        await self.write(record, reason)
        self.count(record, reason)

    async def write(self, record: Record, reason: str) -> None:
        """Write a letter for a record that may still be handled; on return it is durable.

        Raises `Retry` without Kafka.
        """
        known = _place(self._group, record) | {"hash": _hash(record)}
        await self._send(
            known | {"reason": clip(reason, REASON_CHARS), "at_ms": self._clock.now_ms()}
        )

    async def take_back(self, record: Record) -> None:
        """Close the letter of a record that was not set aside after all. Raises `Retry`."""
        await self._send(_place(self._group, record) | {"taken_back_at_ms": self._clock.now_ms()})

    def count(self, record: Record, reason: str) -> None:
        """Count a record as set aside, and say so."""
        self._metrics.dead_letters.labels(self._group, record.topic).inc()
        log.error("bus.dead_letter", **_place(self._group, record), reason=reason)

    async def _send(self, content: dict[str, Any]) -> None:
        try:
            await self._producer.send(_message(self._group, content))
        except (BusAway, TooLarge, UnknownTopic) as error:
            raise Retry("the dead letter could not be written") from error


class _Content(msgspec.Struct, gc=False):
    """What stands on a dead-letter topic: a letter, or the mark that closes the one of a place."""

    group: str
    topic: str
    partition: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    offset: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    reason: str = ""
    hash: str = ""
    at_ms: int = 0
    replayed_at_ms: int | None = None
    taken_back_at_ms: int | None = None


_content: Final = msgspec.json.Decoder(_Content).decode


async def letters(bus: Bus, group: str) -> list[DeadLetter]:
    """Return the group's dead letters that were not replayed, oldest first, one per place.

    What others wrote on the topic is passed over, and the log says how many records it was.
    """
    open_letters: dict[tuple[str, int, int], DeadLetter] = {}
    foreign = dropped = 0
    async for record in _everything(bus, PREFIX + group):
        found = _read(record, group)
        if found is None:
            foreign += 1
            continue
        place = found.topic, found.partition, found.offset
        if found.replayed_at_ms is not None or found.taken_back_at_ms is not None:
            open_letters.pop(place, None)
            continue
        reason = clip(found.reason, REASON_CHARS)
        open_letters.setdefault(place, DeadLetter(group, *place, reason, found.hash, found.at_ms))
        if len(open_letters) > LISTED:
            open_letters.pop(next(iter(open_letters)))
            dropped += 1
    if foreign or dropped:
        log.warning("bus.dead_letters.unlisted", group=group, foreign=foreign, dropped=dropped)
    return list(open_letters.values())


def _read(record: Record, group: str) -> _Content | None:
    """Return what a record of a dead-letter topic says, None if it is not of this group's making.

    Anybody who reaches the broker may write here; a person reads it, so it holds no control codes.
    """
    try:
        found = _content(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    plain = f"{found.topic}{found.reason}{found.hash}".isprintable()
    return found if found.group == group and plain else None


async def replay(
    bus: Bus,
    group: str,
    handler: Callable[[Record], Awaitable[None]],
    *,
    clock: Clock | None = None,
) -> Replayed:
    """Hand every open dead letter's record, read at its source, to the group's handler once more.

    What succeeds is marked on the dead-letter topic and not offered again; what fails stays.
    """
    report = Replayed()
    waiting = await letters(bus, group)
    known = await _logs(bus, {letter.topic for letter in waiting})
    report.gone = sum(letter.tp not in known for letter in waiting)
    waiting = [letter for letter in waiting if letter.tp in known]
    if not waiting:
        return report
    producer = bus.producer()
    reader = bus.reader(sorted({letter.topic for letter in waiting}))
    await producer.start()
    try:
        await reader.start()
        reader.pause(reader.assignment())
        for letter in waiting:
            record = await _fetch(reader, letter)
            if record is None:
                report.gone += 1
            elif await _handled(handler, record, letter):
                report.done += 1
                mark = {"group": group, "topic": letter.topic, "partition": letter.partition}
                at_ms = (clock or SystemClock()).now_ms()
                content = mark | {"offset": letter.offset, "replayed_at_ms": at_ms}
                await producer.send(_message(group, content))
            else:
                report.failed += 1
    finally:
        await reader.stop()
        await producer.stop()
    return report


async def _handled(
    handler: Callable[[Record], Awaitable[None]], record: Record, letter: DeadLetter
) -> bool:
    try:
        await handler(record)
    except (Verdict, Unavailable) as verdict:
        log.warning("bus.replay.failed", place=letter.place, reason=str(verdict))
        return False
    except Exception:
        log.exception("bus.replay.failed", place=letter.place)
        return False
    return True


async def _fetch(reader: Consumer, letter: DeadLetter) -> Record | None:
    """Return the record at the letter's place, if it is still there and the same."""
    tp = letter.tp
    oldest = (await reader.beginning_offsets([tp]))[tp]
    if not oldest <= letter.offset < (await reader.end_offsets([tp]))[tp]:
        return None
    reader.seek(tp, letter.offset)
    reader.resume([tp])
    try:
        for _ in range(IDLE_READS):
            fetched = await reader.getmany(READ_TIMEOUT_MS, max_records=1)
            for record in fetched.get(tp, ()):
                same = record.offset == letter.offset and _hash(record) == letter.hash
                return record if same else None
    finally:
        reader.pause([tp])
    return None


async def _logs(bus: Bus, topics: Iterable[str]) -> set[TopicPartition]:
    """Return the partitions of those topics that exist."""
    found: set[TopicPartition] = set()
    for topic in topics:
        try:
            count = await bus.partitions(topic)
        except UnknownTopic:
            continue
        found.update(TopicPartition(topic, partition) for partition in range(count))
    return found


async def _everything(bus: Bus, topic: str) -> AsyncIterator[Record]:
    """Yield everything that a topic holds at this moment."""
    reader = bus.reader([topic])
    await reader.start()
    try:
        mine = reader.assignment()
        ends = await reader.end_offsets(mine)
        oldest = await reader.beginning_offsets(mine)
        left, idle = {tp for tp in mine if ends[tp] > oldest[tp]}, 0
        while left and idle < IDLE_READS:
            fetched = await reader.getmany(READ_TIMEOUT_MS)
            idle = 0 if fetched else idle + 1
            for records in fetched.values():
                for record in records:
                    yield record
            left = {tp for tp in left if await reader.position(tp) < ends[tp]}
    finally:
        await reader.stop()


def _place(group: str, record: Record) -> dict[str, Any]:
    return {
        "group": group,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
    }


def _message(group: str, content: dict[str, Any]) -> Message:
    key = f"{content['topic']}/{content['partition']}/{content['offset']}"
    return Message(PREFIX + group, key.encode(), json.dumps(content).encode())


def _hash(record: Record) -> str:
    return blake2b(record.value or b"", digest_size=16).hexdigest()
