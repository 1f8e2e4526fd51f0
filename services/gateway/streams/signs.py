"""Typing and reading, shown to who follows the conversation: lossy, each said once.

Knows who is subscribed; must not know topics beyond their records, nor sends.
"""

from collections.abc import Iterator
from typing import Final

import contracts
from contracts.base import rfc3339
from contracts.gateway import SignalSent
from kit.bus.ports import Record
from services.gateway.frames import server
from services.gateway.hub import ConversationSubscription
from services.gateway.hub.conversations import Conversation, SubscriptionState
from services.gateway.streams.heads import Heads

_READ: Final = b'"read"'


class Signs:
    """Shows what people do beside what they say."""

    def __init__(self, heads: Heads) -> None:
        self._heads = heads
        self._watched = heads.watched

    def hear(self, record: Record) -> None:
        """Show somebody's typing to the others; how far he read, on his own other devices too."""
        conversation = self._watched.get(record.key or b"")
        if conversation is None or not _is_awaited(conversation, record):
            return
        event = contracts.decode(record)
        if not isinstance(event, SignalSent):
            return
        if conversation.row is not None and event.signal == "read":
            self._heads.read(conversation.row, event.person_id, event.position)
        frame = _signalled(conversation.s, event)
        for subscription in _listeners(conversation, event):
            subscription.socket.lossy(frame)


def _signalled(s: str, event: SignalSent) -> bytes:
    shown: dict[str, object] = {"person_id": event.person_id, "time": rfc3339(event.time)}
    if event.position is not None:
        shown["position"] = event.position
    return server.patch(s, server.json({event.signal: shown}))


def _listeners(conversation: Conversation, event: SignalSent) -> Iterator[ConversationSubscription]:
    """Walk over who is shown a signal: the others, and of what was read its reader, too."""
    for subscription in conversation.subscriptions:
        is_own = subscription.socket.person.subject == event.person_id
        if subscription.state is SubscriptionState.LIVE and (event.signal == "read" or not is_own):
            yield subscription


def _is_awaited(conversation: Conversation, record: Record) -> bool:
    """Tell whether a signal is worth decoding: a row shows what was read, and no typing."""
    return bool(conversation.subscriptions) or _READ in (record.value or b"")
