"""Typing, looking and read receipts on their way out: lossy, a few at a time, never answered.

Knows subscriptions and the batcher; must not know sockets.
"""

import asyncio
from typing import Any, Literal

from contracts.gateway import SignalSent, StaffSignal
from contracts.people import ConversationId, ShopId
from contracts.topics import SIGNALS
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
        self._tell(SignalSent, subscription, signal=signal, position=position)

    def view(self, socket: SocketSession, s: str, *, on: bool) -> None:
        """Tell staff that one of them looks; a buyer looks at his own all the time.

        Who looks away on one screen and has it open on another of this gateway still looks.
        """
        subscription = subscription_to(socket, s)
        if subscription is None or not subscription.may_note:
            return
        subscription.looks = on
        # What is being joined is of no shop yet.
        if subscription.conversation.shop_id and (on or not _looks_elsewhere(subscription)):
            self._tell(StaffSignal, subscription, signal="viewing", on=on)

    def _tell(
        self,
        kind: type[SignalSent] | type[StaffSignal],
        subscription: ConversationSubscription,
        **said: Any,
    ) -> None:
        key = subscription.conversation.key
        if self._producer.stalled(SIGNALS.name, key):
            return
        event = kind(
            id=self._ids.new(),
            time=self._clock.now(),
            shop_id=ShopId(subscription.conversation.shop_id),
            conversation_id=ConversationId(key.decode()),
            person_id=subscription.socket.person.subject,
            **said,
        )
        self._batcher.add(message_of(event), _forget)


def _looks_elsewhere(subscription: ConversationSubscription) -> bool:
    subject = subscription.socket.person.subject
    others = subscription.conversation.subscriptions
    return any(one.looks and one.socket.person.subject == subject for one in others)


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
