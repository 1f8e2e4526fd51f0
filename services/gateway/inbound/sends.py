"""One `send` from its frame to its answer: its turn, whether it was said before, and publishing.

Keeps the promises of H1 and H3; the order of sends is kept by `lanes`. Must not know sockets beyond
their session.
"""

from functools import partial

from kit.bus.ports import Producer
from kit.clock import Clock
from kit.errors import AppError
from kit.metrics import Metrics
from services.gateway.frames import notes, server
from services.gateway.frames.client import Send
from services.gateway.frames.records import Entry, PoisonRecord
from services.gateway.frames.refusals import IdConflict, NotSubscribed, NotTaken
from services.gateway.history import HistoryClient, Ring, Stored
from services.gateway.hub import ConversationSubscription, SocketSession, subscription_to
from services.gateway.inbound.batcher import Batcher
from services.gateway.inbound.gate import Gate
from services.gateway.inbound.in_flight import MessagesInFlight
from services.gateway.inbound.lanes import Lanes
from services.gateway.inbound.parsing import MessageIds, ParsedSend, parse
from services.gateway.inbound.publishing import MessagePublisher
from services.gateway.inbound.shedder import LoadShedder


class Inbound:
    """Takes sends of all sockets; `waiting` is how many are not answered yet."""

    def __init__(
        self,
        producer: Producer,
        batcher: Batcher,
        *,
        gate: Gate,
        ids: MessageIds,
        ring: Ring,
        history: HistoryClient,
        clock: Clock,
        metrics: Metrics,
        shedder: LoadShedder,
        outcome_s: float = 2.0,
    ) -> None:
        self._ids = ids
        self._ring = ring
        self._metrics = metrics
        self._shedder = shedder
        self.lanes = Lanes(history, take=self._take, refuse=self._refuse)
        self._in_flight = MessagesInFlight(
            batcher, self.lanes, ring, clock=clock, metrics=metrics, outcome_s=outcome_s
        )
        self._publisher = MessagePublisher(
            producer,
            batcher,
            gate=gate,
            lanes=self.lanes,
            in_flight=self._in_flight,
            clock=clock,
        )

    @property
    def waiting(self) -> int:
        """How many sends are owed an answer: handed over, or being looked up."""
        return self._in_flight.waiting + self.lanes.busy

    def send(self, socket: SocketSession, frame: Send) -> None:
        """Take one `send` frame; it is answered now or later, exactly once."""
        subscription = subscription_to(socket, frame.s)
        if subscription is None:
            self._refuse(socket, frame.id, NotSubscribed())
        elif self._has_room(subscription, frame) or self._was_said(subscription, frame):
            self.lanes.admit(subscription, frame)
        else:
            self.lanes.defer(subscription, frame.id, self._shedder.refusal())

    def defer(self, socket: SocketSession, frame: Send, refusal: AppError) -> None:
        """Refuse a send for now; later ones of its stream wait until it has come again (H6)."""
        subscription = subscription_to(socket, frame.s)
        if subscription is None:
            self._refuse(socket, frame.id, refusal)
        else:
            self.lanes.defer(subscription, frame.id, refusal)

    def give_up(self) -> None:
        """Answer `retry` to every send that was handed over and still waits (H17)."""
        self._in_flight.give_up()

    async def start(self) -> None:
        """Nothing to get ready."""

    async def run(self) -> None:
        """Answer `retry` to sends whose outcome is overdue, until `stop` (H18)."""
        await self._in_flight.run()

    async def stop(self) -> None:
        """Stop looking; what is unanswered stays so."""
        self._in_flight.stop()
        self.lanes.stop()

    # ---- overload

    def _has_room(self, subscription: ConversationSubscription, frame: Send) -> bool:
        partition = subscription.conversation.partition
        return self._shedder.admits(
            partition,
            self._in_flight.oldest(partition),
            returning=self.lanes.expects(subscription, frame.id),
        )

    def _was_said(self, subscription: ConversationSubscription, frame: Send) -> bool:
        """Tell whether a resend finds its message on its way or in the log: it costs nothing."""
        if not frame.again:
            return False
        message_id = self._ids.of_send(subscription, frame.id)
        pending = self._in_flight.pending(message_id)
        return pending is not None or self._first_of(message_id) is not None

    # ---- one send

    def _take(self, subscription: ConversationSubscription, frame: Send) -> None:
        """Take a send whose turn has come."""
        try:
            parsed = parse(subscription, frame, ids=self._ids, number=self.lanes.number())
        except AppError as refusal:
            self.lanes.deny(subscription, frame.id, refusal)
            return
        if self._is_known(subscription, parsed):
            return
        if self.lanes.blocks(subscription, frame.id):
            self.lanes.retry(subscription, frame.id, parsed.number, refusal=NotTaken())
        elif frame.again:
            found = partial(self._looked_up, subscription, parsed)
            self.lanes.look_up(subscription, parsed.message_id, found=found)
        else:
            self._publisher.publish(subscription, parsed)

    # ---- what was said before

    def _is_known(self, subscription: ConversationSubscription, parsed: ParsedSend) -> bool:
        """Answer a send whose id is on its way or in the ring; a resend joins what is pending."""
        pending = self._in_flight.pending(parsed.message_id)
        if pending is not None:
            if pending.body_hash != parsed.body_hash:
                self.lanes.deny(subscription, parsed.frame.id, IdConflict())
            else:
                self._in_flight.join(subscription, parsed, pending)
            return True
        if (first := self._first_of(parsed.message_id)) is None:
            return False
        body_hash, offset = first
        place = (subscription.conversation.generation, offset)
        self._answer_again(subscription, parsed, body_hash=body_hash, place=place)
        return True

    def _first_of(self, message_id: str) -> tuple[str | None, int] | None:
        """Return hash and offset of a message that landed lately, read back already or not yet."""
        acked = self._in_flight.acked(message_id)
        if acked is not None:
            return acked.body_hash, acked.place.offset
        entry = self._ring.find(message_id.encode())
        return None if entry is None else (_hash_of(entry), entry.offset)

    def _looked_up(
        self, subscription: ConversationSubscription, parsed: ParsedSend, stored: Stored | None
    ) -> None:
        if stored is not None:
            self._answer_again(
                subscription, parsed, body_hash=stored.body_hash, place=stored.position
            )
        elif not self._is_known(subscription, parsed):
            self._publisher.publish(subscription, parsed)

    def _answer_again(
        self,
        subscription: ConversationSubscription,
        parsed: ParsedSend,
        *,
        body_hash: str | None,
        place: tuple[int, int],
    ) -> None:
        """Answer a send with the place of the message that came first, if that says the same."""
        client_id = parsed.frame.id
        if body_hash != parsed.body_hash:
            self.lanes.deny(subscription, client_id, IdConflict())
        else:
            self.lanes.settle(subscription, client_id)
            subscription.socket.answer(server.sent(client_id, parsed.message_id, position=place))

    def _refuse(self, socket: SocketSession, frame_id: str, refusal: AppError) -> None:
        self._metrics.frames_refused.labels(refusal.slug).inc()
        socket.answer(server.err(frame_id, refusal))


def _hash_of(entry: Entry) -> str | None:
    try:
        return notes.written(entry).body_hash
    except PoisonRecord:
        return None
