"""The archive's entry: reads the chat topic in batches, decodes just enough, hands rows over.

Knows records and the use case; the only place here where speed decides the style.
"""

import asyncio
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec
import structlog

from contracts.base import UnknownEvent, UnreadableEvent
from contracts.conversation import (
    ConversationContacted,
    ConversationOpened,
    Lifecycle,
    read_lifecycle,
)
from contracts.gateway import ChatMessage, NoteWritten
from contracts.people import SenderKind
from contracts.topics import CHAT
from kit.bus.deadletter import DeadLetters
from kit.bus.loops import BatchLoop
from kit.bus.ports import Bus, Consumer, Producer, Record, TopicPartition
from kit.clock import Clock
from kit.errors import Dead, Unavailable
from kit.metrics import Metrics
from kit.text import BadText, storable_json
from services.conversation.archive.domain import Batch, pictures_in
from services.conversation.archive.service import Archiving, Foreign

log = structlog.get_logger()

GROUP: Final = "conversation.archive"

RETRY_S: Final = 1.0
"""Pause before the topic is looked at again while the broker is away."""

VERSION_LIMIT: Final = 2**31 - 1
"""More than a conversation ever has; what claims more is read as this."""

YEARS: Final = range(2000, 2100)
"""A time outside is no receive time, and PostgreSQL or a calendar may not know it."""

_MESSAGE: Final = ChatMessage.type.encode()
_NOTE: Final = NoteWritten.type.encode()
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}").fullmatch


class MessageHead(msgspec.Struct, gc=False):
    """What the archive reads of a chat message; a test ties it to `contracts.gateway`.

    `d` is checked for being there and stays undecoded: a message costs 1 µs, not 4.
    """

    shop_id: str
    conversation_id: str
    sender_id: str
    sender_kind: Literal["buyer", "agent", "assist_bot", "auto", "system"]
    client_id: str
    kind: Literal["text", "image", "card"]
    d: msgspec.Raw
    body_hash: str


class NoteHead(msgspec.Struct, gc=False):
    """What the archive reads of a note; a test ties it to `contracts.gateway`."""

    shop_id: str
    conversation_id: str
    author_id: str
    author_name: str
    client_id: str
    text: str
    body_hash: str
    to: str | None = None


_head: Final = msgspec.json.Decoder(MessageHead).decode
_note: Final = msgspec.json.Decoder(NoteHead).decode

_Head: TypeAlias = tuple[str, str, str | None, str | None, Lifecycle | None]
"""Shop, conversation, sender, hash of the body; the event itself if it is of the lifecycle."""


class Rows:
    """A batch under construction, and which record each row came from."""

    def __init__(self) -> None:
        self.batch = Batch.empty()
        self.records: list[Record] = []
        self.ends: dict[int, int] = {}
        self._ids: set[str] = set()

    @classmethod
    def of(cls, records: Iterable[Record]) -> "list[Rows]":
        """Return the records' rows, more than one batch if an id stands there twice.

        Raises `Dead` for all that are no events of this topic.
        """
        dead: list[Dead] = []
        parts = [cls()]
        for record in records:
            try:
                if not parts[-1].add(record):
                    # The first one is stored before the second is judged.
                    parts.append(cls())
                    parts[-1].add(record)
            except Dead as verdict:
                dead.append(verdict)
        if dead:
            raise Dead.all_of(dead)
        return parts

    def add(self, record: Record) -> bool:
        """Take a record's row; False if its message id stands in this batch already.

        Raises `Dead` for what is no event of this topic.
        """
        headers = dict(record.headers)
        try:
            message_id = headers["ce_id"].decode()
            if message_id in self._ids:
                return False
            read = _READERS.get(headers["ce_type"], _read_lifecycle)
            shop_id, conversation_id, sender, body_hash, event = read(record)
            time = datetime.fromisoformat(headers["ce_time"].decode())
            # What the edge refuses is refused here too (H24).
            body = storable_json(record.value or b"")
            kind = headers["ce_type"].decode()
        except KeyError as missing:
            raise Dead(f"header {missing} is missing", record) from None
        except UnreadableEvent as refused:
            raise Dead(str(refused), record) from None
        except BadText as bad:
            raise Dead(bad.title, record) from None
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
            raise Dead(f"unreadable: {type(error).__name__}", record) from None
        if not (_UUID(message_id) and _UUID(conversation_id)):
            raise Dead("an id is no UUID", record)
        if headers.get("ce_shop") != shop_id.encode() or record.key != conversation_id.encode():
            raise Dead("header or key and body disagree", record)
        if time.tzinfo is None:
            raise Dead("header ce_time has no zone", record)
        if time.year not in YEARS:
            raise Dead("the time is outside of 2000 to 2100", record)
        self._ids.add(message_id)
        self.records.append(record)
        self.ends[record.partition] = record.offset + 1
        batch = self.batch
        batch.ids.append(message_id)
        batch.conversations.append(conversation_id)
        batch.shops.append(shop_id)
        batch.partitions.append(record.partition)
        batch.offsets.append(record.offset)
        batch.types.append(kind)
        batch.times.append(time)
        batch.senders.append(sender)
        batch.hashes.append(body_hash)
        batch.bodies.append(body)
        batch.versions.append(None if event is None else self._noted(event))
        batch.pictures += pictures_in(body)
        return True

    def _noted(self, event: Lifecycle) -> int:
        """Keep what a lifecycle event opens; return what the row is compared with (H51)."""
        if isinstance(event, ConversationOpened):
            self.batch.openings[event.conversation_id] = event
        return min(event.version, VERSION_LIMIT)


class Archive:
    """A role: archives the chat topic as a member of its group."""

    def __init__(
        self,
        bus: Bus,
        archiving: Archiving,
        producer: Producer,
        *,
        max_rows: int,
        max_wait_ms: int,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._bus = bus
        self._archiving = archiving
        self._clock = clock
        self._generation: int | None = None
        self._stopping = asyncio.Event()
        self.loop = BatchLoop(
            bus,
            topics=[CHAT.name],
            group=GROUP,
            handle=self.handle,
            dead_letters=DeadLetters(producer, GROUP, metrics=metrics),
            max_rows=max_rows,
            max_wait_ms=max_wait_ms,
            after_dead=self._after_dead,
            on_assigned=self._on_assigned,
            metrics=metrics,
        )

    async def start(self) -> None:
        """Check that the topic is the one the archive belongs to (H4); with Kafka away, later.

        Raises `kit.positions.ForeignTopic`, which ends the process.
        """
        try:
            await self._know_generation()
        except Unavailable as away:
            log.warning("archive.waits", reason=away.slug)

    async def run(self) -> None:
        """Archive until `stop`."""
        while self._generation is None and not self._stopping.is_set():
            await self._clock.sleep(RETRY_S)
            await self.start()
        if not self._stopping.is_set():
            await self.loop.run()

    async def stop(self) -> None:
        """Finish the batch in hand."""
        self._stopping.set()
        if self._generation is not None:
            await self.loop.stop()

    async def handle(self, records: list[Record]) -> None:
        """Archive records in log order. A repeat stores nothing twice: rows are keyed by id.

        Raises `Dead` for all that cannot be read before any is stored, `Dead` for all that name a
        conversation which is not their shop's.
        """
        for rows in Rows.of(records):
            await self._store(rows)

    async def handle_one(self, record: Record) -> None:
        """Archive one record, from a replay of dead letters."""
        await self.handle([record])

    async def _store(self, rows: Rows) -> None:
        generation = await self._know_generation()
        try:
            stored = await self._archiving.store(rows.batch, rows.ends, generation=generation)
        except Foreign as foreign:
            # After a restore from a backup every newer conversation is unknown (H51).
            unknown = [rows.records[place] for place in foreign.places]
            raise Dead.all_of(
                [Dead(str(foreign), record, foreseen=True) for record in unknown]
            ) from None
        log.debug("chat.archived", rows=len(rows.records), new=stored)

    async def _after_dead(self, records: list[Record]) -> None:
        """Count records that were set aside as passed (H10)."""
        generation = await self._know_generation()
        ends = {record.partition: record.offset + 1 for record in records}
        await self._archiving.store(Batch.empty(), ends, generation=generation)

    async def _on_assigned(self, consumer: Consumer, partitions: frozenset[TopicPartition]) -> None:
        """Begin where the database says, so that a restored backup is filled up again.

        Of a partition without a mark it knows nothing, whatever the group has committed: that one
        is read from its start. With the database away nobody knows where, so the loop joins again.
        """
        marks = await self._archiving.marks()
        unmarked = {tp for tp in partitions if tp.partition not in marks}
        oldest = await consumer.beginning_offsets(unmarked) if unmarked else {}
        for tp in partitions:
            consumer.seek(tp, oldest[tp] if tp in unmarked else marks[tp.partition])

    async def _know_generation(self) -> int:
        if self._generation is None:
            topic_id = await self._bus.topic_id(CHAT.name)
            self._generation = await self._archiving.generation(topic_id)
        return self._generation


def _read_message(record: Record) -> _Head:
    head = _head(record.value or b"")
    if bytes(head.d)[:1] != b"{":
        raise UnreadableEvent(f"{ChatMessage.type}: d")
    return head.shop_id, head.conversation_id, head.sender_kind, head.body_hash, None


def _read_note(record: Record) -> _Head:
    """Read a note. It has no sender: it asks nothing of anybody, and nobody waits for it."""
    head = _note(record.value or b"")
    return head.shop_id, head.conversation_id, None, head.body_hash, None


_READERS: Final = {_MESSAGE: _read_message, _NOTE: _read_note}


def _read_lifecycle(record: Record) -> _Head:
    try:
        event = read_lifecycle(record)
    except UnknownEvent:
        # Of a newer release: kept as it is, so that the release which knows it can show it (H47).
        shop_id = dict(record.headers)["ce_shop"].decode()
        return shop_id, (record.key or b"").decode(), None, None, None
    # What the buyer wrote elsewhere is his word here: somebody owes him an answer to it (H30).
    sender = SenderKind.BUYER if isinstance(event, ConversationContacted) else None
    return event.shop_id, event.conversation_id, sender, None, event
