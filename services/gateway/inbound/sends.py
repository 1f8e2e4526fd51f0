"""One `send` from its frame to its answer: identity, seat, gate, log, `ok`.

Keeps the promises of H1, H3, H8, H14 and H18; the order of sends is kept by `lanes`. Must not know
sockets beyond their session.
"""

import asyncio
from collections import deque
from functools import partial
from typing import Final, NamedTuple

import msgspec

from contracts.base import rfc3339
from contracts.gateway import ChatMessage, WordingHit
from contracts.people import ConversationId, ShopId
from kit.bus.ports import Message, Position, Producer, TooLarge, message_of
from kit.clock import Clock
from kit.errors import AppError
from kit.ids import derived_id
from kit.metrics import Metrics
from services.gateway.frames import records, server
from services.gateway.frames.client import Body, Send, body_of
from services.gateway.frames.records import ChatBody, Entry, PoisonRecord
from services.gateway.frames.refusals import (
    BadFrame,
    ContinueElsewhere,
    IdConflict,
    NoSeat,
    NotSubscribed,
    Retry,
)
from services.gateway.history import HistoryClient, Ring, Stored
from services.gateway.hub import ConversationSubscription, SocketSession, subscription_to
from services.gateway.inbound.batcher import Batcher
from services.gateway.inbound.gate import Blocked, Gate, GateInput, Passed
from services.gateway.inbound.lanes import Lanes
from services.gateway.inbound.unread import Acked, Unread

OVERDUE_S: Final = 0.1
"""How often overdue outcomes are looked for: one pass for all sends, no timer per send."""

CHAT: Final = ChatMessage.topic.name


class _Pending:
    """A message that was handed over: who waits for it, and since when."""

    __slots__ = ("body_hash", "message_id", "since", "waiting", "warnings")

    def __init__(self, message_id: str, body_hash: str, warnings: tuple[WordingHit, ...]) -> None:
        self.message_id = message_id
        self.body_hash = body_hash
        self.warnings = warnings
        self.since = 0.0
        self.waiting: list[tuple[ConversationSubscription, ParsedSend]] = []


class Inbound:
    """Takes sends of all sockets; `waiting` is how many are not answered yet."""

    def __init__(
        self,
        producer: Producer,
        batcher: Batcher,
        *,
        gate: Gate,
        ring: Ring,
        history: HistoryClient,
        clock: Clock,
        metrics: Metrics,
        outcome_s: float = 2.0,
    ) -> None:
        self._producer = producer
        self._batcher = batcher
        self._gate = gate
        self._ring = ring
        self._clock = clock
        self._metrics = metrics
        self._outcome_s = outcome_s
        self.lanes = Lanes(history, take=self._consider, refuse=self._refuse)
        self._pending: dict[str, _Pending] = {}
        self._unread = Unread(ring)
        self._due: deque[tuple[float, _Pending]] = deque()
        self._wakes = asyncio.Event()
        self._over = False

    @property
    def waiting(self) -> int:
        """How many sends are owed an answer: handed over, or being looked up."""
        handed_over = sum(bool(p.waiting) for p in self._pending.values())
        return handed_over + self.lanes.busy

    def send(self, socket: SocketSession, frame: Send) -> None:
        """Take one `send` frame; it is answered now or later, exactly once."""
        subscription = subscription_to(socket, frame.s)
        if subscription is None:
            self._refuse(socket, frame.id, NotSubscribed())
        else:
            self.lanes.admit(subscription, frame)

    def defer(self, socket: SocketSession, frame: Send, refusal: AppError) -> None:
        """Refuse a send for now; later ones of its stream wait until it has come again (H6)."""
        subscription = subscription_to(socket, frame.s)
        if subscription is None:
            self._refuse(socket, frame.id, refusal)
        else:
            self.lanes.defer(subscription, frame.id, refusal)

    def give_up(self) -> None:
        """Answer `retry` to every send that still waits (H17)."""
        for pending in self._pending.values():
            self._answer_retry(pending)

    async def start(self) -> None:
        """Nothing to get ready."""

    async def run(self) -> None:
        """Answer `retry` to sends whose outcome is overdue, until `stop` (H18)."""
        while not self._over:
            await self._wakes.wait()
            await self._clock.sleep(OVERDUE_S)
            now = self._clock.monotonic()
            while self._due and self._due[0][0] <= now:
                due, pending = self._due.popleft()
                if pending.waiting and pending.since + self._outcome_s <= due:
                    self._answer_retry(pending)
            if not self._due and not self._over:
                self._wakes.clear()

    async def stop(self) -> None:
        """Stop looking; what is unanswered stays so."""
        self._over = True
        self._wakes.set()
        self.lanes.stop()

    # ---- one send

    def _consider(self, subscription: ConversationSubscription, frame: Send) -> None:
        try:
            body = body_of(frame)
        except AppError as refusal:
            self._deny(subscription, frame.id, refusal)
            return
        key, sender = subscription.conversation.key.decode(), subscription.socket.person.subject
        message_id = derived_id("message", key, sender, frame.id)
        body_hash = records.body_hash(frame.kind, body.d)
        parsed = ParsedSend(frame, body, message_id, body_hash, self.lanes.number())
        if self._known(subscription, parsed):
            return
        if self.lanes.blocks(subscription, frame.id):
            self._retry(subscription, parsed)
        elif frame.again:
            self.lanes.look_up(
                subscription, message_id, found=partial(self._looked_up, subscription, parsed)
            )
        else:
            self._speak(subscription, parsed)

    def _known(self, subscription: ConversationSubscription, parsed: "ParsedSend") -> bool:
        """Answer a send whose id is on its way or in the ring; a resend joins what is pending."""
        client_id = parsed.frame.id
        pending = self._pending.get(parsed.message_id)
        if pending is not None:
            if pending.body_hash != parsed.body_hash:
                self._deny(subscription, client_id, IdConflict())
            else:
                self.lanes.settle(subscription, client_id)
                pending.waiting.append((subscription, parsed))
                self._await(pending)
            return True
        if (first := self._first_of(parsed.message_id)) is None:
            return False
        body_hash, offset = first
        if body_hash != parsed.body_hash:
            self._deny(subscription, client_id, IdConflict())
        else:
            self.lanes.settle(subscription, client_id)
            place = (subscription.conversation.generation, offset)
            subscription.socket.answer(server.sent(client_id, parsed.message_id, position=place))
        return True

    def _first_of(self, message_id: str) -> tuple[str | None, int] | None:
        """Return hash and offset of a message that landed lately, read back already or not yet."""
        unread = self._unread.find(message_id)
        if unread is not None:
            return unread.body_hash, unread.place.offset
        entry = self._ring.find(message_id.encode())
        return None if entry is None else (_hash_of(entry), entry.offset)

    def _looked_up(
        self, subscription: ConversationSubscription, parsed: "ParsedSend", stored: Stored | None
    ) -> None:
        client_id = parsed.frame.id
        if stored is None:
            if not self._known(subscription, parsed):
                self._speak(subscription, parsed)
        elif stored.body_hash != parsed.body_hash:
            self._deny(subscription, client_id, IdConflict())
        else:
            self.lanes.settle(subscription, client_id)
            place = stored.position
            subscription.socket.answer(server.sent(client_id, parsed.message_id, position=place))

    def _speak(self, subscription: ConversationSubscription, parsed: "ParsedSend") -> None:
        """Produce a message that nobody has seen, if the seat and the gate allow it."""
        client_id, conversation = parsed.frame.id, subscription.conversation
        if not subscription.may_speak:
            self._deny(subscription, client_id, NoSeat())
            return
        if conversation.continue_in is not None and subscription.socket.person.is_buyer:
            self._deny(
                subscription, client_id, ContinueElsewhere(continue_in=conversation.continue_in)
            )
            return
        if self._producer.stalled(CHAT, conversation.key):
            self._retry(subscription, parsed)
            return
        now, person = self._clock.now(), subscription.socket.person
        passed = Passed()
        if not person.is_buyer:
            verdict = self._gate.judge(_gate_input(subscription, parsed), now)
            if isinstance(verdict, Blocked):
                self._hold_back(subscription, parsed, verdict)
                return
            passed = verdict
        body = ChatBody(
            conversation.shop_id,
            conversation.key.decode(),
            person.subject,
            "buyer" if person.is_buyer else "agent",
            client_id,
            parsed.frame.kind,
            msgspec.Raw(parsed.body.d),
            parsed.body_hash,
            None if person.is_buyer else conversation.assignment_version,
            passed.confirmed,
        )
        message = records.message(body, parsed.message_id, time=rfc3339(now))
        self._produce(subscription, parsed, message=message, warnings=passed.warnings)

    def _produce(
        self,
        subscription: ConversationSubscription,
        parsed: "ParsedSend",
        *,
        message: Message,
        warnings: tuple[WordingHit, ...],
    ) -> None:
        pending = _Pending(parsed.message_id, parsed.body_hash, warnings)
        if not self._batcher.add(message, partial(self._acked, pending)):
            self._retry(subscription, parsed)
            return
        self.lanes.settle(subscription, parsed.frame.id)
        pending.waiting.append((subscription, parsed))
        self._pending[parsed.message_id] = pending
        self._await(pending)

    def _hold_back(
        self, subscription: ConversationSubscription, parsed: "ParsedSend", blocked: Blocked
    ) -> None:
        """Leave the incident in the log, then answer; without it the message stays blocked."""
        self.lanes.settle(subscription, parsed.frame.id)

        def outcome(answer: "asyncio.Future[Position]") -> None:
            if answer.cancelled() or answer.exception() is not None:
                self._retry(subscription, parsed)
            else:
                self._deny(subscription, parsed.frame.id, blocked.answer)

        if not self._batcher.add(message_of(blocked.incident), outcome):
            self._retry(subscription, parsed)

    # ---- answers

    def _acked(self, pending: _Pending, answer: "asyncio.Future[Position]") -> None:
        self._pending.pop(pending.message_id, None)
        waiting, pending.waiting = pending.waiting, []
        error = None if answer.cancelled() else answer.exception()
        if error is None and not answer.cancelled():
            place = answer.result()
            self._unread.add(pending.message_id, Acked(pending.body_hash, place))
            for subscription, parsed in waiting:
                self._acknowledge(
                    subscription, parsed.frame.id, pending=pending, offset=place.offset
                )
            if waiting:
                self._metrics.send_seconds.observe(self._clock.monotonic() - pending.since)
        elif isinstance(error, TooLarge):
            for subscription, parsed in waiting:
                self._deny(subscription, parsed.frame.id, BadFrame("The message is too large."))
        else:
            for subscription, parsed in waiting:
                self._retry(subscription, parsed)

    def _acknowledge(
        self,
        subscription: ConversationSubscription,
        client_id: str,
        *,
        pending: _Pending,
        offset: int,
    ) -> None:
        place = (subscription.conversation.generation, offset)
        if not pending.warnings:
            subscription.socket.answer(server.sent(client_id, pending.message_id, position=place))
            return
        told: dict[str, object] = {
            "client_id": client_id,
            "message_id": pending.message_id,
            "position": place,
            "warnings": [hit.model_dump(mode="json") for hit in pending.warnings],
        }
        subscription.socket.answer(server.ok(client_id, told))

    def _await(self, pending: _Pending) -> None:
        pending.since = self._clock.monotonic()
        self._due.append((pending.since + self._outcome_s, pending))
        self._wakes.set()

    def _answer_retry(self, pending: _Pending) -> None:
        waiting, pending.waiting = pending.waiting, []
        for subscription, parsed in waiting:
            self._retry(subscription, parsed)

    def _retry(self, subscription: ConversationSubscription, parsed: "ParsedSend") -> None:
        """Answer `retry`; the oldest such send must come again before later ones are taken (H6)."""
        self.lanes.requeue(subscription, parsed.frame.id, parsed.number)
        self._refuse(subscription.socket, parsed.frame.id, Retry())

    def _deny(
        self, subscription: ConversationSubscription, client_id: str, refusal: AppError
    ) -> None:
        """Refuse a send for good: nothing has to wait for it to come again (H6)."""
        self.lanes.settle(subscription, client_id)
        self._refuse(subscription.socket, client_id, refusal)

    def _refuse(self, socket: SocketSession, frame_id: str, refusal: AppError) -> None:
        self._metrics.frames_refused.labels(refusal.slug).inc()
        socket.answer(server.err(frame_id, refusal))


class ParsedSend(NamedTuple):
    """A send that can be read: the frame, what it says, its identity, and when its turn came."""

    frame: Send
    body: Body
    message_id: str
    body_hash: str
    number: int


def _gate_input(subscription: ConversationSubscription, parsed: ParsedSend) -> GateInput:
    return GateInput(
        ShopId(subscription.conversation.shop_id),
        ConversationId(subscription.conversation.key.decode()),
        subscription.socket.person.subject,
        parsed.frame.id,
        parsed.message_id,
        parsed.body_hash,
        parsed.body.words,
        parsed.frame.confirm,
    )


def _hash_of(entry: Entry) -> str | None:
    try:
        return records.spoken(entry).body_hash
    except PoisonRecord:
        return None
