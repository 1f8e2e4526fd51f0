"""What nobody has said before: whether it may be said, and if so as which record.

Keeps H8 and H14: the seat and the wording gate are asked before anything reaches the log, and what
an agent means in spite of the gate is said behind his reason (F9). Must not know sockets beyond
their session.
"""

import asyncio
from functools import partial
from typing import Literal, TypeAlias

import msgspec

from contracts.base import Event, rfc3339
from contracts.people import ConversationId, ShopId
from contracts.topics import CHAT
from kit.bus.ports import Message, Position, Producer, message_of
from kit.clock import Clock
from kit.errors import AppError
from kit.telemetry import TRACEPARENT, traced
from services.gateway.frames import notes, records
from services.gateway.frames.notes import NoteBody
from services.gateway.frames.records import ChatBody
from services.gateway.frames.refusals import ContinueElsewhere, Forbid, NoSeat, NotTaken
from services.gateway.hub import ConversationSubscription
from services.gateway.inbound.batcher import Batcher
from services.gateway.inbound.gate import Blocked, Gate, GateInput, Passed
from services.gateway.inbound.in_flight import MessagesInFlight
from services.gateway.inbound.lanes import Lanes
from services.gateway.inbound.parsing import ParsedSend

SaidKind: TypeAlias = Literal["text", "image", "card"]
"""What is said to both sides: whatever may be sent but a note."""


class MessagePublisher:
    """Lets the buyer and the owner of a conversation speak, the owner within the shop's wording.

    Beside them staff may note what no buyer sees.
    """

    def __init__(
        self,
        producer: Producer,
        batcher: Batcher,
        *,
        gate: Gate,
        lanes: Lanes,
        in_flight: MessagesInFlight,
        clock: Clock,
    ) -> None:
        self._producer = producer
        self._batcher = batcher
        self._gate = gate
        self._lanes = lanes
        self._in_flight = in_flight
        self._clock = clock

    def publish(self, subscription: ConversationSubscription, parsed: ParsedSend) -> None:
        """Hand a message over, or refuse it; the send is answered now or later, exactly once."""
        if parsed.frame.kind == "note":
            self._note(subscription, parsed)
            return
        client_id, kind = parsed.frame.id, parsed.frame.kind
        if (refusal := _refusal(subscription)) is not None:
            self._lanes.deny(subscription, client_id, refusal)
            return
        if self._producer.stalled(CHAT.name, subscription.conversation.key):
            self._lanes.retry(subscription, client_id, parsed.number, refusal=NotTaken())
            return
        passed = Passed()
        if not subscription.socket.person.is_buyer:
            verdict = self._gate.judge(_gate_input(subscription, parsed), self._clock.now())
            if isinstance(verdict, Blocked):
                self._block(subscription, parsed, verdict)
                return
            passed = verdict
        if passed.confirmed is None:
            said = self._said(subscription, parsed, passed, kind=kind)
            self._in_flight.hand_over(subscription, parsed, message=said, warnings=passed.warnings)
        else:
            self._in_flight.hand_over(
                subscription,
                parsed,
                message=_incident_message(passed.confirmed, parsed.message_id),
                warnings=passed.warnings,
                then=partial(self._meant, subscription, parsed, passed, kind=kind),
            )

    def _meant(
        self,
        subscription: ConversationSubscription,
        parsed: ParsedSend,
        passed: Passed,
        *,
        kind: SaidKind,
    ) -> Message | AppError:
        """Return what is said once its reason is in the log, unless the seat was lost meanwhile."""
        return _refusal(subscription) or self._said(subscription, parsed, passed, kind=kind)

    def _said(
        self,
        subscription: ConversationSubscription,
        parsed: ParsedSend,
        passed: Passed,
        *,
        kind: SaidKind,
    ) -> Message:
        person, conversation = subscription.socket.person, subscription.conversation
        body = ChatBody(
            conversation.shop_id,
            conversation.key.decode(),
            person.subject,
            "buyer" if person.is_buyer else "agent",
            parsed.frame.id,
            kind,
            msgspec.Raw(parsed.body.d),
            parsed.body_hash,
            None if person.is_buyer else conversation.assignment_version,
            passed.confirmed is not None,
        )
        time = rfc3339(self._clock.now())
        return records.message(body, parsed.message_id, time=time, wording=passed.cleared)

    def _note(self, subscription: ConversationSubscription, parsed: ParsedSend) -> None:
        """Hand a note over: no seat is asked for, and no gate, for no buyer sees it."""
        person, conversation = subscription.socket.person, subscription.conversation
        if not (self._gate.takes_notes and subscription.may_note):
            self._lanes.deny(subscription, parsed.frame.id, Forbid())
            return
        if self._producer.stalled(CHAT.name, conversation.key):
            refusal = NotTaken()
            self._lanes.retry(subscription, parsed.frame.id, parsed.number, refusal=refusal)
            return
        said = notes.addressed(parsed.body.d)
        body = NoteBody(
            conversation.shop_id,
            conversation.key.decode(),
            person.subject,
            person.name,
            parsed.frame.id,
            said.text,
            said.to,
            parsed.body_hash,
        )
        message = notes.note(body, parsed.message_id, time=rfc3339(self._clock.now()))
        self._in_flight.hand_over(subscription, parsed, message=message, warnings=())

    def _block(
        self, subscription: ConversationSubscription, parsed: ParsedSend, blocked: Blocked
    ) -> None:
        """Leave the incident in the log, then answer; without it the message stays blocked."""
        client_id = parsed.frame.id
        self._lanes.settle(subscription, client_id)

        def outcome(answer: "asyncio.Future[Position]") -> None:
            with traced(records.trace_of(parsed.message_id)):
                if answer.cancelled() or answer.exception() is not None:
                    self._lanes.retry(subscription, client_id, parsed.number)
                else:
                    self._lanes.deny(subscription, client_id, blocked.answer)

        if not self._batcher.add(_incident_message(blocked.incident, parsed.message_id), outcome):
            self._lanes.retry(subscription, client_id, parsed.number)


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
        parsed.frame.reason,
    )


def _refusal(subscription: ConversationSubscription) -> AppError | None:
    """Return why this person may say nothing here, or None."""
    if not subscription.may_speak:
        return NoSeat()
    continue_in = subscription.continue_in
    return None if continue_in is None else ContinueElsewhere(continue_in=continue_in)


def _incident_message(event: Event, message_id: str) -> Message:
    """Return the record of what is left about a message, in the trace of that message."""
    step = records.trace_of(message_id).traceparent().encode()
    return message_of(event, extra=((TRACEPARENT, step),))
