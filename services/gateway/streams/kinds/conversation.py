"""Conversations as streams: each subscription joined once, and refilled after a full queue.

Encodes a frame once for all its sockets. Knows who is subscribed; how one catches up is the
business of `resume`.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from typing_extensions import override

import contracts
from contracts.conversation import LaterLifecycle, Lifecycle, read_lifecycle
from contracts.people import PersonId
from contracts.topics import SIGNALS
from services.gateway.channels import Hearers
from services.gateway.frames import notes, records, server
from services.gateway.frames.names import ConversationName
from services.gateway.frames.records import Entry, PoisonRecord
from services.gateway.frames.refusals import AlreadySubscribed, IdConflict
from services.gateway.hub import (
    ConversationSubscription,
    Hub,
    NeedsSnapshot,
    SocketSession,
    Subscription,
    subscription_to,
)
from services.gateway.hub.conversations import Conversation, SubscriptionState, View, view
from services.gateway.streams.heads import Heads
from services.gateway.streams.joins import Joins
from services.gateway.streams.port import News, Stream
from services.gateway.streams.signs import Signs

Tell = Callable[[News], None]
"""Given what concerns people's inboxes."""


class SendOrder(Protocol):
    """The sends of each subscription, in their order (`inbound.Lanes`)."""

    def hold(self, subscription: ConversationSubscription) -> None:
        """Let sends wait until the subscription is ready or over."""

    def resume(self, subscription: ConversationSubscription) -> None:
        """Take what waited; of one that is over, refuse it."""

    def drop(self, subscription: ConversationSubscription) -> None:
        """Forget one that is over."""


class Resumes(Protocol):
    """How a subscription catches up (`resume.Resume`)."""

    async def join(self, subscription: ConversationSubscription, position: object) -> None:
        """Answer its `sub` and make it live; raises what ends the join."""

    async def refill(self, subscription: ConversationSubscription) -> None:
        """Give a live one what was withheld."""


_CONCERNED: Final = ("agent_id", "previous_agent_id", "from_agent_id", "to_agent_id")


class ConversationStream(Stream[ConversationName, Entry]):
    """Every conversation that somebody here watches."""

    names = ConversationName

    def __init__(
        self, hub: Hub, joins: Joins, resume: Resumes, *, lanes: SendOrder, tell: Tell, heads: Heads
    ) -> None:
        self._hub = hub
        self._joins = joins
        self._resume = resume
        self._lanes = lanes
        self._tell = tell
        self._heads = heads
        self.watched = heads.watched
        self._signs = Signs(heads)
        self.delivered = 0
        self.poisoned = 0

    @override
    def subscribe(
        self,
        socket: SocketSession,
        name: ConversationName,
        *,
        frame_id: str | None,
        position: object,
    ) -> None:
        """Subscribe and join; a second `sub` beside a subscription is refused."""
        if subscription_to(socket, str(name)) is not None:
            self._joins.refuse(socket, frame_id, AlreadySubscribed())
            return
        subscription = self.add(socket, name.key)
        self._lanes.hold(subscription)
        subscription.owed = (frame_id,)
        self._joins.spawn(self._join(subscription, position))

    @override
    def unsubscribe(self, socket: SocketSession, name: ConversationName) -> None:
        """Leave it, if there is a subscription."""
        subscription = subscription_to(socket, str(name))
        if subscription is None:
            return
        is_joining = bool(subscription.owed)
        self._joins.end(subscription)
        if is_joining:
            # What was sent meanwhile need not wait for the join to notice.
            self._lanes.resume(subscription)

    @override
    def leave(self, subscription: Subscription) -> None:
        """Let one go; with its last subscription a conversation is forgotten."""
        assert isinstance(subscription, ConversationSubscription)
        self._lanes.drop(subscription)
        conversation = subscription.conversation
        conversation.subscriptions.remove(subscription)
        if not conversation.subscriptions and conversation.row is None:
            del self.watched[conversation.key]

    def add(self, socket: SocketSession, key: bytes) -> ConversationSubscription:
        """Subscribe the socket, not yet live; facts of the conversation are kept from now on."""
        conversation = self.watched.get(key)
        if conversation is None:
            conversation = self.watched[key] = Conversation(key)
        subscription = ConversationSubscription(socket, conversation, self)
        conversation.subscriptions.append(subscription)
        self._hub.attach(subscription)
        return subscription

    @override
    async def refill(self, socket: SocketSession) -> None:
        """Give every one what was withheld while the queue was full (H15)."""
        for subscription in list(socket.subscriptions.values()):
            if (
                isinstance(subscription, ConversationSubscription)
                and subscription.state is SubscriptionState.WITHHELD
            ):
                work, failed = (
                    self._resume.refill(subscription),
                    partial(self._failed, subscription),
                )
                await self._joins.run(subscription, work, failed=failed)

    @override
    def deliver(self, told: Entry) -> None:
        """Deliver a chat message or a lifecycle event, and tell the inboxes that this concerns."""
        if told.is_lifecycle:
            self._lifecycle(told)
        elif (conversation := self.watched.get(told.key)) is not None:
            take = self._note if notes.is_note(told) else self._message
            take(told, conversation)

    def _message(self, entry: Entry, conversation: Conversation) -> None:
        try:
            said = records.spoken(entry)
            is_owned, shown = conversation.heard(said), None
            if conversation.subscriptions:
                shown = view(entry, not_owner=not is_owned)
        except PoisonRecord:
            self.poisoned += 1
            return
        if conversation.row is not None:
            self._heads.said(conversation.row, entry, said)
        if shown is not None:
            self._deliver(entry, conversation, shown)

    def _note(self, entry: Entry, conversation: Conversation) -> None:
        """Show a note to staff; it says nothing of whose the conversation is."""
        try:
            noted, shown = notes.noted(entry), view(entry)
        except PoisonRecord:
            self.poisoned += 1
            return
        if conversation.row is not None:
            self._heads.noted(conversation.row, entry, noted.author_id)
        self._deliver(entry, conversation, shown)

    def _lifecycle(self, entry: Entry) -> None:
        """Apply a lifecycle event, deliver it, and tell the inboxes it concerns.

        One of a newer release only raises the version (H47).
        """
        conversation = self.watched.get(entry.key)
        try:
            event = read_lifecycle(entry)
            shown = view(entry)
        except (contracts.UnknownEvent, contracts.UnreadableEvent, PoisonRecord):
            self.poisoned += 1
            return
        if isinstance(event, LaterLifecycle):
            if conversation is not None:
                conversation.apply(event)
            return
        owners = set[PersonId | None]() if conversation is None else conversation.owners
        if conversation is not None:
            conversation.apply(event)
            self._deliver(entry, conversation, shown)
        self._heads.told(event, entry)
        head = _named(event)
        concerned = {getattr(event, name, None) for name in _CONCERNED} | owners | {event.buyer_id}
        buyer = None if shown.buyer is None else head + shown.buyer
        self._tell(News(concerned, head + shown.staff, buyer))

    def conflict(self, entry: Entry, first: Entry) -> None:
        """An id came round with another body: tell its sender that the first one stands (H3)."""
        conversation = self.watched.get(entry.key)
        if conversation is None or entry.is_lifecycle:
            return
        try:
            second, original = notes.written(entry), notes.written(first)
        except PoisonRecord:
            self.poisoned += 1
            return
        if second.body_hash == original.body_hash:
            return
        for subscription in conversation.subscriptions:
            if subscription.socket.person.subject == second.by:
                subscription.socket.offer(server.err(second.client_id, IdConflict()))

    def _deliver(self, entry: Entry, conversation: Conversation, shown: View) -> None:
        offset = entry.offset
        frames: dict[bool, bytes] = {}
        for subscription in conversation.subscriptions:
            if subscription.state is not SubscriptionState.LIVE or offset <= subscription.sent:
                continue
            buyer = subscription.socket.person.is_buyer
            frame = frames.get(buyer)
            if frame is None:
                seen = shown.of(subscription)
                if seen is None:
                    continue
                frame = frames[buyer] = server.event(
                    conversation.s,
                    seen,
                    position=(conversation.generation, offset),
                )
            if self._hub.offer(subscription.socket, frame):
                subscription.sent = offset
                self.delivered += 1
            else:
                subscription.state = SubscriptionState.WITHHELD

    @override
    def hears(self) -> Hearers:
        """Return that typing and reading come as signals."""
        return {SIGNALS: self._signs.hear}

    async def _join(self, subscription: ConversationSubscription, position: object) -> None:
        work = self._resume.join(subscription, position)
        await self._joins.run(subscription, work, failed=partial(self._failed, subscription))
        self._lanes.resume(subscription)

    def _failed(self, subscription: ConversationSubscription, error: Exception) -> None:
        """Take it back. Who was told `ok` before learns that he has to subscribe again."""
        self._hub.detach(subscription)
        if isinstance(error, NeedsSnapshot):
            subscription.socket.answer(server.resync(subscription.conversation.s, error.reason))
        elif not subscription.owed:
            subscription.socket.answer(server.resync(subscription.conversation.s, "slow_reader"))


def _named(event: Lifecycle) -> bytes:
    """Return what an inbox compares: whose event it is, and its version."""
    return b'"version":%d,"conversation_id":"%b",' % (
        event.version,
        event.conversation_id.encode(),
    )
