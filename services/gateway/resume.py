"""How a subscription catches up with its conversation: archive, gap, ring, live, without a hole.

Keeps H4, H5, H10, H11 and H15, and answers its `sub` when it is ready. The ring holds every
record up to the live position, so what is read from it in one step and what is delivered afterwards
meet exactly. Must not know sockets beyond their session.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from contracts.frames import REPLAY_LIMIT, CloseCode
from contracts.people import PersonId
from contracts.topics import CHAT
from kit.clock import Clock
from kit.errors import Unavailable
from kit.metrics import Metrics
from services.gateway.frames import server
from services.gateway.frames.client import place_of
from services.gateway.frames.records import Entry, PoisonRecord
from services.gateway.history import Attached, GapReader, HistoryClient, Ring
from services.gateway.history.client import item_head
from services.gateway.hub import Abandoned, ConversationSubscription, NeedsSnapshot
from services.gateway.hub.conversations import SubscriptionState, is_buyers, read_view
from services.gateway.limits import FairTurns

SNAPSHOT_ITEMS: Final = 100
"""Latest messages in a conversation's `snap`; older ones are pages of the REST history."""

POLL_S: Final = 0.02
READER_S: Final = 5.0
"""Wait for this gateway's own reader to reach a client's position; then `retry`."""

EndOf = Callable[[int], Awaitable[int]]
"""Given a partition, answers the broker's end offset."""


class Resume:
    """Makes subscriptions live: at first, and after their socket's queue was full."""

    def __init__(
        self,
        ring: Ring,
        *,
        history: HistoryClient,
        gaps: GapReader,
        end_of: EndOf,
        turns: FairTurns,
        clock: Clock,
        metrics: Metrics,
        slow_reader_s: float = 10.0,
    ) -> None:
        self._ring = ring
        self._history = history
        self._gaps = gaps
        self._end_of = end_of
        self._turns = turns
        self._clock = clock
        self._slow_reader_s = slow_reader_s
        self._skipped = metrics.consumed.labels("gateway", CHAT.name, "skipped")

    async def join(self, subscription: ConversationSubscription, position: object) -> None:
        """Bring it from a position, or from a snapshot, to the end; answer on the way.

        Raises `Abandoned`, `NeedsSnapshot`, `NotFound`, `TimeoutError`, and what asking raises.
        """
        person, conversation = subscription.socket.person, subscription.conversation
        place = place_of(position) if position is not None else None
        if position is not None and place is None:
            raise NeedsSnapshot("bad_position")
        async with self._turns.of(person.subject):
            subscription.check()  # who left while he waited costs nobody a question
            attached = await self._history.attach(
                conversation.key.decode(),
                person,
                limit=SNAPSHOT_ITEMS if place is None else REPLAY_LIMIT,
                after=place,
            )
        subscription.check()
        self._adopt(subscription, attached)
        if place is not None:
            if place.generation != attached.mark.generation:
                raise NeedsSnapshot("generation")
            await self._reach(subscription, place.offset)
        if attached.resync:
            raise NeedsSnapshot("too_far")
        subscription.sent = attached.mark.offset - 1
        if place is not None:
            subscription.sent = max(subscription.sent, place.offset)
            await self._catch_up(subscription, attached)
        else:
            await self._snapshot(subscription, attached)

    def _adopt(self, subscription: ConversationSubscription, attached: Attached) -> None:
        facts, conversation = attached.facts, subscription.conversation
        conversation.shop_id = facts.shop_id
        conversation.generation = attached.mark.generation
        conversation.partition = attached.mark.partition
        conversation.adopt(
            buyer=PersonId(facts.buyer_id),
            owner=None if facts.agent_id is None else PersonId(facts.agent_id),
            version=facts.version,
            assignment=facts.assignment_version,
            continue_in=attached.continue_in,
        )

    async def _reach(self, subscription: ConversationSubscription, offset: int) -> None:
        """Wait until the reader here has passed the client's position; beyond the log: 4004."""
        partition = subscription.conversation.partition
        if offset < self._ring.end(partition):
            return
        if offset >= await self._end_of(partition):
            subscription.check()
            subscription.socket.close(CloseCode.BAD_POSITION, self._clock.monotonic())
            raise Abandoned
        until = self._clock.monotonic() + READER_S
        while offset >= self._ring.end(partition):
            if self._clock.monotonic() > until:
                raise Unavailable("The reader is behind.")
            await self._clock.sleep(POLL_S)
            subscription.check()

    async def _catch_up(self, subscription: ConversationSubscription, attached: Attached) -> None:
        """Replay above the client's position, then be live."""
        missed = await self._missed(subscription)
        if subscription.socket.person.is_buyer:
            missed = [entry for entry in missed if is_buyers(entry)]
        if len(attached.items) + len(missed) > REPLAY_LIMIT:
            raise NeedsSnapshot("too_far")
        self._answer(subscription)
        for item in attached.items:
            await self._write(subscription, server.replayed(bytes(item)))
        for entry in missed:
            await self._show(subscription, entry)
        await self._go_live(subscription)

    async def _snapshot(self, subscription: ConversationSubscription, attached: Attached) -> None:
        """Send the state and the latest messages as one frame, then be live."""
        conversation, socket = subscription.conversation, subscription.socket
        await self._room(subscription)
        entries = await self._missed(subscription)
        # No await from here to LIVE: the snapshot and the stream meet without a gap.
        items = [bytes(item) for item in attached.items]
        known = {item_head(item).id.encode() for item in attached.items}
        for entry in entries:
            shown = None if entry.id in known else self._body(subscription, entry)
            if shown is not None:
                place = (conversation.generation, entry.offset)
                items.append(server.item(conversation.s, shown, position=place))
        subscription.sent = max(subscription.sent, self._ring.end(conversation.partition) - 1)
        position = (conversation.generation, subscription.sent) if subscription.sent >= 0 else None
        facts, shown_items = bytes(attached.conversation), b",".join(items[-SNAPSHOT_ITEMS:])
        read = b',"read":%b' % attached.read if bytes(attached.read) else b""
        d = b'{"conversation":%b,"items":[%b]%b}' % (facts, shown_items, read)
        self._answer(subscription)
        socket.answer(server.snap(conversation.s, d, position=position))
        subscription.state = SubscriptionState.LIVE

    def _answer(self, subscription: ConversationSubscription) -> None:
        elsewhere = subscription.continue_in
        may_send = subscription.may_speak and elsewhere is None
        told: dict[str, object] = {"s": subscription.conversation.s, "may_send": may_send}
        if elsewhere is not None:
            told["continue_in"] = elsewhere
        for frame_id in subscription.take_owed():
            subscription.socket.answer(server.ok(frame_id, told))

    async def _missed(self, subscription: ConversationSubscription) -> list[Entry]:
        """Return what lies above `sent`: from the broker below the ring's floor, then the ring.

        Nothing is awaited after the ring was read: the caller knows that this is all there is.
        """
        partition, key, sent = (
            subscription.conversation.partition,
            subscription.conversation.key,
            subscription.sent,
        )
        entries: list[Entry] = []
        while (floor := self._ring.floor(partition)) > sent + 1:
            async with self._turns.of(subscription.socket.person.subject):
                subscription.check()
                entries += await self._gaps.read(key, partition, start=sent + 1, end=floor)
            subscription.check()
            sent = floor - 1
        return entries + self._ring.after(key, sent)

    async def _go_live(self, subscription: ConversationSubscription) -> None:
        """Give what arrived meanwhile until nothing is left, then leave the rest to the hub."""
        while missed := await self._missed(subscription):
            for entry in missed:
                await self._show(subscription, entry)
        subscription.state = SubscriptionState.LIVE

    async def _show(self, subscription: ConversationSubscription, entry: Entry) -> None:
        if entry.offset <= subscription.sent:
            return
        shown = self._body(subscription, entry)
        if shown is not None:
            conversation = subscription.conversation
            place = (conversation.generation, entry.offset)
            await self._write(subscription, server.event(conversation.s, shown, position=place))
        subscription.sent = entry.offset

    def _body(self, subscription: ConversationSubscription, entry: Entry) -> bytes | None:
        try:
            return read_view(entry).of(subscription)
        except PoisonRecord:
            self._skipped.inc()
            return None

    async def _write(self, subscription: ConversationSubscription, frame: bytes) -> None:
        """Write with back-pressure, outside the queue."""
        await self._room(subscription)
        while not subscription.socket.offer(frame):
            await self._room(subscription)

    async def _room(self, subscription: ConversationSubscription) -> None:
        """Wait until the socket takes frames; one that does not in time is closed with 4001."""
        socket = subscription.socket
        subscription.check()
        until = self._clock.monotonic() + self._slow_reader_s
        while socket.paused or socket.full_since is not None:
            await self._clock.sleep(POLL_S)
            subscription.check()
            if self._clock.monotonic() > until:
                socket.close(CloseCode.SLOW_READER, self._clock.monotonic())
                raise Abandoned

    async def refill(self, subscription: ConversationSubscription) -> None:
        """Give a live one what was withheld while its socket's queue was full (H15)."""
        subscription.state = SubscriptionState.JOINING
        await self._go_live(subscription)
