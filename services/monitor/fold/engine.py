"""Folds the records of one partition into state, figures, flags and alerts, in memory.

Knows the rules' order; must not know Kafka's client or how the result is stored.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationOpened,
    ConversationQueued,
    ConversationReopened,
    ConversationTransferred,
    Lifecycle,
)
from contracts.people import ConversationId, PersonId, SenderKind, ShopId
from kit.bus.ports import Record
from services.monitor.directory.rules import Rules
from services.monitor.fold.flags import flag_alert, flagged_message
from services.monitor.fold.history import Recent
from services.monitor.fold.repository import Changes, Stored
from services.monitor.fold.schemas import Heard, Unreadable, message_id, read
from services.monitor.response.domain import Judged, Score
from services.monitor.response.judging import judge_round, judge_session
from services.monitor.response.rollups import CounterKey
from services.monitor.response.rounds import Conversation, Machine, decode_state, encode_state
from services.monitor.traffic.domain import Traffic, TrafficKey
from services.monitor.wording.domain import Span, Wording
from wording import Speaker

SLICE: Final = 64
"""Records folded before the event loop gets a turn: about 2 ms with wording."""

LEAVE_MESSAGE: Final = frozenset({"leave_message", "nobody_online", "outside_shift"})
"""Reasons of `queued` that mean: no agent was online or willing, so the buyer left a message."""

_SPEAKERS: Final = {SenderKind.AGENT: Speaker.AGENT, SenderKind.BUYER: Speaker.BUYER}
_NOTHING: Final = Score()


@dataclass(slots=True)
class Poison:
    """A record that cannot be folded, and why."""

    record: Record
    reason: str
    was_read: bool = True
    """It failed in the state of its conversation, which may be wrong for those behind it."""


@dataclass(slots=True)
class Batch:
    """What folding some records of one partition gave."""

    changes: Changes
    poison: list[Poison] = field(default_factory=list)
    waits: list[Conversation] = field(default_factory=list)
    """Conversations in which a round may have opened: their thresholds go on the wheel."""


@dataclass(slots=True)
class _Before:
    """What the last `fold` changed, as it was: enough to stand there again."""

    next_offset: int
    watermark_ms: int
    states: dict[ConversationId, bytes | None] = field(default_factory=dict)
    wording: dict[ShopId, Wording | None] = field(default_factory=dict)


class PartitionFold:
    """One partition's state between its stored offset and the next commit."""

    def __init__(self, stored: Stored, rules: Rules, *, next_offset: int) -> None:
        self.partition = stored.partition
        self.next_offset = next_offset
        self.conversations = stored.conversations
        self._rules = rules
        self._machine = Machine(rules.book.readings)
        self._recent = Recent(stored.watermark_ms)
        self.watermark_ms = stored.watermark_ms
        self._wording = stored.wording
        self._before = _Before(next_offset, stored.watermark_ms)

    async def fold(self, records: Sequence[Record]) -> Batch:
        """Fold records in log order; those below the stored offset only fill the set of ids."""
        self._before = _Before(self.next_offset, self.watermark_ms)
        self._recent.keep()
        batch = Batch(
            Changes(self.partition, self.next_offset, self.next_offset, self.watermark_ms)
        )
        for start in range(0, len(records), SLICE):
            for record in records[start : start + SLICE]:
                try:
                    self._fold_one(record, batch)
                except Exception as error:  # noqa: BLE001 - a bug may cost one record, not the log
                    batch.poison.append(Poison(record, f"bug: {type(error).__name__}"))
            await asyncio.sleep(0)
        batch.changes.next_offset = self.next_offset
        batch.changes.watermark_ms = self.watermark_ms
        return batch

    def take_back(self) -> None:
        """Stand again where the last `fold` began: what it gave could not be stored."""
        before = self._before
        self.next_offset, self.watermark_ms = before.next_offset, before.watermark_ms
        for name, state in before.states.items():
            if state is None:
                del self.conversations[name]
            else:
                self.conversations[name] = decode_state(state)
        for shop_id, used in before.wording.items():
            if used is None:
                del self._wording[shop_id]
            else:
                self._wording[shop_id] = used
        self._recent.take_back()
        self._before = _Before(self.next_offset, self.watermark_ms)

    def forgettable(self) -> list[ConversationId]:
        """Remove and return conversations whose state no record can need any more."""
        gone = [
            name
            for name, state in self.conversations.items()
            if (forget := state.forget_after_ms) is not None and forget < self.watermark_ms
        ]
        for name in gone:
            del self.conversations[name]
        return gone

    def _fold_one(self, record: Record, batch: Batch) -> None:
        if record.offset < self.next_offset:
            known = message_id(record)
            if known is not None:
                self._recent.repeated(known, record.timestamp_ms)
            return
        self.next_offset = record.offset + 1
        self.watermark_ms = max(self.watermark_ms, record.timestamp_ms)
        try:
            fact = read(record)
        except Unreadable as error:
            batch.poison.append(Poison(record, str(error), was_read=False))
            return
        if isinstance(fact, Heard):
            self._message(record, fact, batch)
        elif fact is not None:
            self._lifecycle(record, fact, batch)

    def _message(self, record: Record, heard: Heard, batch: Batch) -> None:
        if self._recent.repeated(heard.id, record.timestamp_ms):
            return
        body = heard.body
        kind = body.sender_kind
        buyer = body.sender_id if kind is SenderKind.BUYER else PersonId("")
        state = self._state(
            body.conversation_id, body.shop_id, buyer, at_ms=heard.at_ms, offset=record.offset
        )
        if state.shop_id != body.shop_id:
            batch.poison.append(Poison(record, "the conversation belongs to another shop"))
            return
        self._machine.message(
            state,
            at_ms=heard.at_ms,
            offset=record.offset,
            sender_id=body.sender_id,
            kind=kind,
            seat=body.assignment_version,
        )
        batch.changes.conversations[state.name] = state
        traffic = self._traffic(batch, state.shop_id, heard.at_ms)
        if kind is SenderKind.BUYER:
            traffic.buyer_messages += 1
            batch.waits.append(state)
        elif kind is SenderKind.AGENT:
            traffic.agent_messages += 1
        else:
            traffic.other_messages += 1
        self._judge(batch)
        self._check_wording(record, heard, batch, traffic)

    def _lifecycle(self, record: Record, event: Lifecycle, batch: Batch) -> None:
        at_ms = round(event.time.timestamp() * 1000)
        state = self._state(
            event.conversation_id,
            event.shop_id,
            event.buyer_id,
            at_ms=at_ms,
            offset=record.offset,
        )
        if state.shop_id != event.shop_id:
            batch.poison.append(Poison(record, "the conversation belongs to another shop"))
            return
        state.buyer_id = event.buyer_id
        self._apply(state, event, at_ms, record.offset)
        batch.changes.conversations[state.name] = state
        batch.waits.append(state)
        self._traffic(batch, state.shop_id, at_ms)
        self._judge(batch)

    def _apply(self, state: Conversation, event: Lifecycle, at_ms: int, offset: int) -> None:
        machine, version = self._machine, event.version
        match event:
            case ConversationOpened():
                machine.opened(state, at_ms=at_ms, version=version)
            case ConversationAssigned(agent_id=agent_id):
                machine.seated(
                    state, at_ms=at_ms, offset=offset, version=version, agent_id=agent_id
                )
            case ConversationTransferred(to_agent_id=agent_id):
                machine.seated(
                    state, at_ms=at_ms, offset=offset, version=version, agent_id=agent_id
                )
            case ConversationQueued(reason=reason):
                machine.seated(
                    state,
                    at_ms=at_ms,
                    offset=offset,
                    version=version,
                    agent_id=None,
                    left_message=reason in LEAVE_MESSAGE,
                )
            case ConversationClosed():
                machine.closed(state, at_ms=at_ms, version=version)
            case ConversationReopened():
                machine.reopened(state, version=version)
            case _:
                machine.noted(state, version=version)

    def _state(
        self,
        name: ConversationId,
        shop_id: ShopId,
        buyer_id: PersonId,
        *,
        at_ms: int,
        offset: int,
    ) -> Conversation:
        state = self.conversations.get(name)
        if name not in self._before.states:
            self._before.states[name] = None if state is None else encode_state(state)
        forget = None if state is None else state.forget_after_ms
        if state is None or (forget is not None and at_ms > forget):
            state = self._machine.begin(name, shop_id=shop_id, buyer_id=buyer_id, offset=offset)
            self.conversations[name] = state
        return state

    def _traffic(self, batch: Batch, shop_id: ShopId, at_ms: int) -> Traffic:
        day = self._rules.directory.calendar(shop_id).day(at_ms)
        key = TrafficKey(shop_id, day)
        traffic = batch.changes.traffic.get(key)
        if traffic is None:
            traffic = batch.changes.traffic[key] = Traffic()
        traffic.as_of_ms = max(traffic.as_of_ms, at_ms)
        return traffic

    def _judge(self, batch: Batch) -> None:
        if not self._machine.has_settled:
            return
        settled = self._machine.take()
        for ended in settled.rounds:
            judged = judge_round(self._rules, ended)
            batch.changes.rounds.append((ended, judged))
            _count(batch.changes, ended.shop_id, ended.agent_id, judged)
        for session in settled.sessions:
            judged = judge_session(self._rules, session)
            batch.changes.sessions.append((session, judged))
            _count(batch.changes, session.shop_id, session.agent_id, judged)

    def _check_wording(self, record: Record, heard: Heard, batch: Batch, traffic: Traffic) -> None:
        speaker = _SPEAKERS.get(heard.body.sender_kind)
        text = heard.words() if speaker is not None else ""
        if speaker is None or not text:
            return
        policy = self._rules.directory.shop(heard.body.shop_id).policy
        verdict = self._rules.wording().check(text, speaker=speaker, policy=policy)
        shop_id, used = heard.body.shop_id, Wording(verdict.lexicon_version, policy.version)
        known = self._wording.get(shop_id)
        if known != used:
            self._before.wording.setdefault(shop_id, known)
            self._wording[shop_id] = used
            batch.changes.spans.append(Span(shop_id, record.offset, used))
        if not verdict.hits:
            return
        if speaker is Speaker.AGENT:
            traffic.flags_agent += 1
        else:
            traffic.flags_buyer += 1
        row = flagged_message(
            record, heard, verdict, speaker=speaker, policy_version=policy.version
        )
        batch.changes.flags.append(row)
        batch.changes.alerts.append(flag_alert(heard, verdict, speaker=speaker))


def _count(changes: Changes, shop_id: ShopId, agent_id: PersonId | None, judged: Judged) -> None:
    for name, score in judged.scores.items():
        key = CounterKey(shop_id, name, judged.day, agent_id)
        changes.counters[key] = changes.counters.get(key, _NOTHING) + score
