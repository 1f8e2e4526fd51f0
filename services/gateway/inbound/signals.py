"""Typing and read receipts on their way out: lossy, a few at a time, never answered.

Knows subscriptions and the batcher; must not know sockets.
"""

import asyncio
from typing import Literal

from contracts.gateway import SignalSent
from contracts.people import ConversationId, ShopId
from kit.bus.ports import Position, Producer, message_of
from kit.clock import Clock
from kit.ids import Ids
from services.gateway.hub import ConversationSubscription, SocketSession, subscription_to
from services.gateway.inbound.batcher import Batcher


class Signals:
    """Publishes signals of who may be in the conversation; drops them while the log is slow."""

    def __init__(self, producer: Producer, batcher: Batcher, clock: Clock, *, ids: Ids) -> None:
        self._producer = producer
        self._batcher = batcher
        self._clock = clock
        self._ids = ids

    def give(
        self,
        socket: SocketSession,
        s: str,
        *,
        signal: Literal["typing", "read"],
        position: tuple[int, int] | None = None,
    ) -> None:
        """Tell the others; from who is not subscribed, or only watches, nothing is told."""
        subscription = subscription_to(socket, s)
        if subscription is None or not subscription.may_speak:
            return
        if signal == "read":
            position = _seen(subscription, position)
            if position is None:
                return
        key = subscription.conversation.key
        if self._producer.stalled(SignalSent.topic.name, key):
            return
        event = SignalSent(
            id=self._ids.new(),
            time=self._clock.now(),
            shop_id=ShopId(subscription.conversation.shop_id),
            conversation_id=ConversationId(key.decode()),
            person_id=socket.person.subject,
            signal=signal,
            position=position,
        )
        self._batcher.add(message_of(event), _forget)


def _seen(
    subscription: ConversationSubscription, position: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Return what can have been seen: nothing beyond what was sent here, which is kept for ever."""
    if subscription.sent < 0:
        return None
    sent = (subscription.conversation.generation, subscription.sent)
    return sent if position is None else min(position, sent)


def _forget(answer: "asyncio.Future[Position]") -> None:
    if not answer.cancelled():
        answer.exception()  # marks it as seen: a lost signal is no news
