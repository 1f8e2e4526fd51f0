"""The rows of inboxes that are open here, kept up to date by the log, and pushed to their owners.

A row is known only while its owner's inbox is open on this gateway (F4): it enters with a snapshot
or with an event that gives him the conversation, and leaves with the event that takes it, or with
his last socket. Its records are found by the look-up that streams need anyway. Must not know
topics, nor how an inbox is joined.
"""

import contextlib
from collections.abc import Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import structlog

from contracts.base import UnknownEvent, UnreadableEvent
from contracts.clock import Clock
from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationQueued,
    ConversationTransferred,
    Lifecycle,
    read_lifecycle,
)
from contracts.people import PersonId
from kit.clock import Clock as Time
from kit.errors import AppError
from services.gateway.frames import notes, records
from services.gateway.frames.records import Entry, PoisonRecord, Spoken
from services.gateway.history import HistoryClient, Ring
from services.gateway.history.client import Archived
from services.gateway.hub.conversations import Conversation
from services.gateway.hub.heads import Row

PUSH_S: Final = 0.25
"""What changed of a row goes out so often at most."""

GATHER_S: Final = 0.02
"""Rows that became somebody's within it are asked for together."""

ASKED: Final = 200
"""Rows in one question at most."""

AGAIN_S: Final = 5.0
"""Pause before a row is asked for again that nobody could tell of, or that the ring misses."""

MOVES: Final = (
    ConversationAssigned,
    ConversationTransferred,
    ConversationQueued,
    ConversationClosed,
)
"""Events that say whose a conversation is."""

log: Final = structlog.get_logger("gateway.heads")


class Wake(Protocol):
    """Runs what a moment later is to be done (`streams.Joins.spawn`)."""

    def __call__(self, work: Coroutine[Any, Any, None], /) -> None: ...


class Heads:
    """Rows by conversation and by owner. `watched` is what streams look records up in."""

    def __init__(self, history: HistoryClient, ring: Ring, *, spawn: Wake, clock: Time) -> None:
        self.watched: dict[bytes, Conversation] = {}
        self.changed: dict[bytes, Row] = {}
        """Rows that have to be pushed."""
        self._history = history
        self._ring = ring
        self._spawn = spawn
        self._clock = clock
        self._rows: dict[PersonId, dict[bytes, Row]] = {}
        self._missing: dict[bytes, float] = {}
        """Rows to be asked for, and from when on."""
        self._asking = False

    # ---- who is here

    def open(self, owner: PersonId) -> None:
        """Keep rows of a person from now on."""
        self._rows.setdefault(owner, {})

    def close(self, owner: PersonId) -> None:
        """Forget a person's rows."""
        for row in self._rows.pop(owner, {}).values():
            self._forget(row)

    def of(self, owner: PersonId) -> dict[bytes, Row]:
        """Return the rows of a person."""
        return self._rows.get(owner, {})

    def take(self, owner: PersonId, snapshot: Iterable[Archived]) -> bool:
        """Take over what a snapshot says of rows that are not known; False if the ring misses some.

        Nothing is awaited: from here on records come as they are read.
        """
        whole = True
        for archived in snapshot:
            whole &= self._fill(owner, archived)
        return whole

    # ---- what the log says

    def said(self, row: Row, entry: Entry, said: Spoken) -> None:
        """Somebody spoke in a conversation that has a row."""
        if row.known:
            row.said(entry, said, _received(entry))
            self.changed[row.key] = row

    def noted(self, row: Row, entry: Entry, by: str) -> None:
        """Somebody noted something beside a conversation that has a row."""
        if row.known:
            row.noted(entry, by)
            self.changed[row.key] = row

    def told(self, event: Lifecycle, entry: Entry) -> None:
        """Something happened to a conversation: its row changes, changes hands, begins or ends."""
        row = self._row(entry.key)
        if row is not None and row.known:
            row.told(event, entry.offset)
            self.changed[row.key] = row
        if row is not None and not _moves(row, event):
            return
        if row is not None:
            self._drop(row)
        owner = _owner_after(event)
        if owner is not None and owner in self._rows:
            self._add(Row(entry.key, owner, event.version))
            self._ask_for(entry.key, self._clock.monotonic())

    def read(self, row: Row, person: PersonId, place: tuple[int, int] | None) -> None:
        """Somebody has read a conversation that has a row."""
        if person == row.owner and place is not None and row.known and row.read(place):
            self.changed[row.key] = row

    # ---- rows that the log alone does not tell of

    def again(self) -> None:
        """Ask for rows whose time has come."""
        now = self._clock.monotonic()
        if not self._asking and any(due <= now for due in self._missing.values()):
            self._gather()

    def _ask_for(self, key: bytes, due: float) -> None:
        self._missing[key] = due
        if not self._asking and due <= self._clock.monotonic():
            self._gather()

    def _gather(self) -> None:
        self._asking = True
        self._spawn(self._ask())

    async def _ask(self) -> None:
        try:
            await self._clock.sleep(GATHER_S)
            now = self._clock.monotonic()
            keys = [key for key, due in self._missing.items() if due <= now][:ASKED]
            for key in keys:
                self._missing[key] = now + AGAIN_S  # unless it is told now
            found = await self._history.heads([key.decode() for key in keys])
        except AppError as away:
            log.info("heads.wait", reason=away.slug)
        else:
            self._answered(found)
        finally:
            self._asking = False

    def _answered(self, found: Sequence[Archived]) -> None:
        for archived in found:
            row = self._row(archived.id.encode())
            if row is not None and row.owner == archived.owner and not row.known:
                self._fill(row.owner, archived)

    # ---- rows

    def _fill(self, owner: PersonId, archived: Archived) -> bool:
        """Let a row stand where the archive says, and go on from there by the ring.

        What the log told meanwhile stands. False if the ring does not reach back so far.
        """
        key, (generation, offset) = archived.id.encode(), archived.mark
        known = self._row(key)
        if archived.owner != owner or (known is not None and (known.known or known.owner != owner)):
            return True
        row = known or Row(key, owner, archived.version)
        if self._ring.floor(archived.partition) > offset:
            self._add(row)
            self._missing[key] = self._clock.monotonic() + AGAIN_S
            return False
        row.version = max(row.version, archived.version)
        row.begin(
            Clock(archived.waiting_since, archived.position, archived.first, archived.seat),
            generation,
            head=archived.head,
            read_up_to=archived.read_up_to,
            unseen=archived.unseen,
        )
        if not all(_goes_on(row, entry) for entry in self._ring.after(key, offset - 1)):
            if known is not None:
                self._drop(known)
            return True
        self._add(row)
        self._missing.pop(key, None)
        if known is not None:
            self.changed[key] = row
        return True

    def _row(self, key: bytes) -> Row | None:
        conversation = self.watched.get(key)
        return None if conversation is None else conversation.row

    def _add(self, row: Row) -> None:
        conversation = self.watched.get(row.key)
        if conversation is None:
            conversation = self.watched[row.key] = Conversation(row.key)
        conversation.row = row
        self._rows[row.owner][row.key] = row

    def _drop(self, row: Row) -> None:
        self._rows.get(row.owner, {}).pop(row.key, None)
        self._forget(row)

    def _forget(self, row: Row) -> None:
        self.changed.pop(row.key, None)
        self._missing.pop(row.key, None)
        conversation = self.watched[row.key]
        conversation.row = None
        if not conversation.subscriptions:
            del self.watched[row.key]


def _goes_on(row: Row, entry: Entry) -> bool:
    """Fold a record of the ring into a row; False if it took the conversation from its owner."""
    try:
        if notes.is_note(entry):
            row.noted(entry, notes.noted(entry).author_id)
            return True
        if not entry.is_lifecycle:
            row.said(entry, records.spoken(entry), _received(entry))
            return True
        event = read_lifecycle(entry)
    except (UnknownEvent, UnreadableEvent, PoisonRecord):
        return True  # counted where it was delivered
    row.told(event, entry.offset)
    return not _moves(row, event)


def _moves(row: Row, event: Lifecycle) -> bool:
    """Note an event about whose a conversation is; tell whether it is somebody else's now."""
    if not isinstance(event, MOVES) or event.version <= row.version:
        return False
    row.version = event.version
    return _owner_after(event) != row.owner


def _owner_after(event: Lifecycle) -> PersonId | None:
    match event:
        case ConversationAssigned(agent_id=owner) | ConversationTransferred(to_agent_id=owner):
            return owner
        case _:
            return None


def _received(entry: Entry) -> datetime:
    """Return when a message was received; the broker's word where its own is none."""
    with contextlib.suppress(ValueError):
        received = datetime.fromisoformat(entry.time.decode())
        if received.tzinfo is not None:
            return received
    return datetime.fromtimestamp(entry.timestamp_ms / 1_000, UTC)
