"""Folds the records of one partition into the measures' states and changes, in memory.

Knows the rules' order; must not know any figure, Kafka's client or how the result is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.conversation import Lifecycle
from contracts.people import ConversationId, PersonId, SenderKind
from kit.bus.ports import Record
from services.monitor.fold.history import DedupWindow
from services.monitor.fold.measures import AnyMeasure, Fact, Stretch
from services.monitor.fold.schemas import Heard, Unreadable, message_id, read
from services.monitor.fold.slices import Slice
from services.monitor.fold.standing import LATE_MS, Standing
from services.monitor.fold.states import Conversation, States


@dataclass(slots=True)
class Poison:
    """A record that cannot be folded, and why."""

    record: Record
    reason: str
    was_read: bool = True
    """It failed in the state of its conversation, which may be wrong for those behind it."""


@dataclass(slots=True)
class Changes:
    """What one partition's part of a batch changed. `expected` is the offset it was loaded at.

    `deltas` are the measures' changes, in their order, `written` the states of `conversations` as
    they are stored.
    """

    partition: int
    expected: int
    next_offset: int
    watermark_ms: int
    log_ms: int
    states: States = field(repr=False)
    deltas: list[Any] = field(default_factory=list, repr=False)
    conversations: dict[ConversationId, Conversation] = field(default_factory=dict, repr=False)
    written: dict[ConversationId, bytes] = field(default_factory=dict, repr=False)
    forgotten: list[ConversationId] = field(default_factory=list)

    @property
    def touched(self) -> int:
        """Count the conversations whose state is written or removed."""
        return len(self.conversations) + len(self.forgotten)

    def stretch(self, generation: int) -> Stretch:
        """Return which records were folded."""
        return Stretch(generation, self.partition, self.expected, self.next_offset)

    def of(self, name: str) -> Any:
        """Return what one measure changed."""
        return self.deltas[self.states.place_of(name)]


@dataclass(slots=True)
class Batch:
    """What folding some records of one partition gave."""

    changes: Changes
    poison: list[Poison] = field(default_factory=list)
    waits: list[Conversation] = field(default_factory=list, repr=False)
    """Conversations in which a round may have opened: their thresholds go on the wheel."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a partition's fold begins: its states belong to `next_offset`, from one snapshot."""

    partition: int
    next_offset: int
    watermark_ms: int = 0
    log_ms: int = 0
    conversations: dict[ConversationId, Conversation] = field(default_factory=dict)
    refold_below: int = 0
    """Below it only measures that began anew are given facts (H49)."""


@dataclass(slots=True)
class _Before:
    """What the last `fold` changed, as it was: enough to stand there again."""

    next_offset: int
    watermark_ms: int
    log_ms: int
    states: dict[ConversationId, bytes | None] = field(default_factory=dict)
    deltas: list[Any] = field(default_factory=list)


class PartitionFold:
    """One partition's state between its stored offset and the next commit."""

    def __init__(self, start: Start, measures: Sequence[AnyMeasure]) -> None:
        self.partition = start.partition
        self.next_offset = start.next_offset
        self.watermark_ms = start.watermark_ms
        """The newest timestamp of a record; by it repeats are known (H2)."""
        self.log_ms = start.log_ms
        """The log time: the greatest receive time, but never ahead of its record's timestamp."""
        self.conversations = start.conversations
        self.states = States(measures)
        self._refold_below = start.refold_below
        self._recent = DedupWindow(start.watermark_ms)
        self._before = self._here()
        self._written: dict[ConversationId, bytes] = {}
        """States as the last `fold` wrote them. Who speaks now spoke a moment ago, too: most are
        what this batch began with, and need not be written again to be taken back to."""

    async def fold(
        self, records: Sequence[Record], *, into: Changes | None = None, turn: Slice | None = None
    ) -> Batch:
        """Fold records in log order; those below the stored offset only fill the set of ids.

        `into` goes on with the changes of an earlier call; such a batch cannot be taken back, and
        its states are not written. `turn` is shared by partitions that are folded in a row.
        """
        self._before = self._here()
        self._recent.keep()
        turn = turn or Slice()
        batch = Batch(self.unchanged() if into is None else into)
        self._before.deltas = batch.changes.deltas
        for record in records:
            try:
                self._fold_one(record, batch)
            except Exception as error:  # noqa: BLE001 - a bug may cost one record, not the log
                batch.poison.append(Poison(record, f"bug: {type(error).__name__}"))
            if turn.is_over:
                await turn.end()
        batch.changes.next_offset = self.next_offset
        batch.changes.watermark_ms, batch.changes.log_ms = self.watermark_ms, self.log_ms
        self._written = {} if into is not None else await self._write(batch.changes, turn)
        return batch

    def unchanged(self) -> Changes:
        """Return changes of nothing, from where the fold stands."""
        deltas = [measure.delta() for measure in self.states.measures]
        here = self.next_offset
        times = self.watermark_ms, self.log_ms
        return Changes(self.partition, here, here, *times, self.states, deltas)

    def take_back(self) -> None:
        """Stand again where the last `fold` began: what it gave could not be stored."""
        before = self._before
        self.next_offset, self.watermark_ms = before.next_offset, before.watermark_ms
        self.log_ms = before.log_ms
        for name, state in before.states.items():
            if state is None:
                del self.conversations[name]
            else:
                self.conversations[name] = self.states.decode(state)
        for measure, delta in zip(self.states.measures, before.deltas, strict=True):
            measure.taken_back(delta)
        self._recent.take_back()
        self._written = {}
        self._before = self._here()
        self._before.deltas = self.unchanged().deltas

    def forget(self, limit: int) -> Changes:
        """Settle and remove at most `limit` conversations that no record needs any more (H34).

        Open ones that were stored without the time of their newest record count as heard of now,
        and are among the changes: else they would be kept for ever.
        """
        changes = self.unchanged()
        for name, known in list(self.conversations.items()):
            if changes.touched == limit:
                break
            if known.standing.closed_ms is None and not known.heard_ms and self.log_ms:
                known.heard_ms = self.log_ms
                changes.conversations[name] = known
                changes.written[name] = self.states.encode(known)
                self._written.pop(name, None)
            forget = self.states.forget_after_ms(known)
            if forget is not None and self.log_ms > forget + LATE_MS:
                self.states.settle(known, forget, changes.deltas)
                changes.forgotten.append(name)
                del self.conversations[name]
        return changes

    def take(self, measures: Sequence[AnyMeasure]) -> None:
        """Go on by another book, from the next record on."""
        states = States(measures)
        for name, known in self.conversations.items():
            self.conversations[name] = states.decode(self.states.encode(known))
        self.states = states
        self._written = {}

    async def _write(self, changes: Changes, turn: Slice) -> dict[ConversationId, bytes]:
        """Write the states that changed, and return them."""
        for name, known in changes.conversations.items():
            changes.written[name] = self.states.encode(known)
            if turn.is_over:
                await turn.end()
        return changes.written

    def _here(self) -> _Before:
        return _Before(self.next_offset, self.watermark_ms, self.log_ms)

    def _fold_one(self, record: Record, batch: Batch) -> None:
        if record.offset < self.next_offset:
            said = message_id(record)
            if said is not None:
                self._recent.repeated(said, record.timestamp_ms)
            return
        self.next_offset = record.offset + 1
        self.watermark_ms = max(self.watermark_ms, record.timestamp_ms)
        try:
            told = read(record)
        except Unreadable as error:
            batch.poison.append(Poison(record, str(error), was_read=False))
            return
        if told is None:
            return
        at_ms = told.at_ms if isinstance(told, Heard) else round(told.time.timestamp() * 1000)
        self.log_ms = max(self.log_ms, min(at_ms, record.timestamp_ms))
        if isinstance(told, Heard):
            if not self._recent.repeated(told.id, record.timestamp_ms):
                self._message(record, told, batch)
        else:
            self._lifecycle(record, told, batch, at_ms=at_ms)

    def _message(self, record: Record, heard: Heard, batch: Batch) -> None:
        body = heard.body
        known = self._known(body.conversation_id, batch, at_ms=heard.at_ms)
        if known is None:
            buyer = body.sender_id if body.sender_kind is SenderKind.BUYER else PersonId("")
            opened = Standing(body.conversation_id, body.shop_id, buyer, record.offset)
            known = self._begin(opened)
        before = known.standing
        if before.shop_id != body.shop_id:
            batch.poison.append(Poison(record, "the conversation belongs to another shop"))
            return
        after, voice = before.heard(body.sender_kind, body.sender_id, seat=body.assignment_version)
        begins = before.born_offset == record.offset and body.sender_kind is not SenderKind.BUYER
        if not after.open or (after.version == 0 and begins):
            after = after.stays_closed(heard.at_ms)
        at = record.partition, record.offset, heard.at_ms
        self._apply(known, Fact(*at, heard, before, after, voice), batch)
        if body.sender_kind is SenderKind.BUYER:
            batch.waits.append(known)

    def _lifecycle(self, record: Record, event: Lifecycle, batch: Batch, *, at_ms: int) -> None:
        name, shop_id = event.conversation_id, event.shop_id
        known = self._known(name, batch, at_ms=at_ms)
        if known is None:
            known = self._begin(Standing(name, shop_id, event.buyer_id, record.offset))
        if known.standing.shop_id != shop_id:
            batch.poison.append(Poison(record, "the conversation belongs to another shop"))
            return
        before = known.standing
        after = before.told(event, at_ms=at_ms)
        if after is not None:
            at = record.partition, record.offset, at_ms
            self._apply(known, Fact(*at, event, before, after), batch)
            batch.waits.append(known)

    def _apply(self, known: Conversation, fact: Fact, batch: Batch) -> None:
        known.standing = fact.after
        known.heard_ms = max(known.heard_ms, fact.at_ms)
        changes = batch.changes
        again = fact.offset < self._refold_below
        parts = zip(self.states.measures, known.parts, changes.deltas, strict=True)
        for measure, part, delta in parts:
            if not again or measure.refolded:
                measure.apply(part, fact, delta)
        changes.conversations[fact.after.name] = known

    def _known(self, name: ConversationId, batch: Batch, *, at_ms: int) -> Conversation | None:
        """Return what is known of a conversation; None for one forgotten, or never seen.

        That depends on the log alone: who folds it later begins anew at the same record.
        """
        known = self.conversations.get(name)
        if name not in self._before.states:
            state = None if known is None else self._written.get(name) or self.states.encode(known)
            self._before.states[name] = state
        forget = None if known is None else self.states.forget_after_ms(known)
        if known is None or forget is None:
            return known
        over, late = at_ms > forget, self.log_ms > forget + LATE_MS
        if not (over or late):
            return known
        self.states.settle(known, forget, batch.changes.deltas)
        return None

    def _begin(self, opened: Standing) -> Conversation:
        known = self.conversations[opened.name] = self.states.begin(opened)
        return known
