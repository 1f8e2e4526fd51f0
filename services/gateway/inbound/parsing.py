"""A send that can be read: what it says, and which message it is.

The same words of the same person under the same id are the same message (H3). Pure.
"""

from datetime import datetime
from typing import NamedTuple

from kit.ids import dated_id, derived_id, is_uuid7, uuid7_floor
from kit.text import refuse_unstorable
from services.gateway.frames import cards, records
from services.gateway.frames.client import Body, Send, body_of
from services.gateway.frames.refusals import BadFrame
from services.gateway.hub import ConversationSubscription


class ParsedSend(NamedTuple):
    """The frame, what it says, its identity, and its place among all sends of this gateway."""

    frame: Send
    body: Body
    message_id: str
    body_hash: str
    number: int


class MessageIds:
    """Which message a send is, by conversation, sender and the id that the client gave it (H1).

    The time of a UUIDv7 that was made from `dated_from` on and before `dated_until` stands in front
    of the message's id, so that what is said at one time lies together in the archive (ADR 39). The
    client's id alone decides: every gateway that knows both moments makes the same of it.
    """

    def __init__(self, dated_from: datetime, dated_until: datetime | None = None) -> None:
        self._from = uuid7_floor(dated_from)
        self._until = None if dated_until is None else uuid7_floor(dated_until)

    def of(self, conversation: str, sender: str, client_id: str) -> str:
        """Return the message's id."""
        parts = "message", conversation, sender, client_id
        return dated_id(client_id, *parts) if self._is_dated(client_id) else derived_id(*parts)

    def of_send(self, subscription: ConversationSubscription, client_id: str) -> str:
        """Return which message a send of this subscription is, whatever it says."""
        key, sender = subscription.conversation.key.decode(), subscription.socket.person.subject
        return self.of(key, sender, client_id)

    def _is_dated(self, client_id: str) -> bool:
        # Written alike, ids are in the order of their times.
        over = self._until is not None and client_id >= self._until
        return client_id >= self._from and not over and is_uuid7(client_id)


def parse(
    subscription: ConversationSubscription, frame: Send, *, ids: MessageIds, number: int
) -> ParsedSend:
    """Read a send. Raises `BadFrame`, `BadText`, `Forbid`."""
    body = body_of(frame)
    if frame.kind == "card":
        cards.refuse_unfit(body.d, is_buyer=subscription.socket.person.is_buyer)
    if frame.reason is not None:
        refuse_unstorable(frame.reason)
        if not frame.reason.strip():
            raise BadFrame("A reason says something.")
    message_id = ids.of_send(subscription, frame.id)
    return ParsedSend(frame, body, message_id, records.body_hash(frame.kind, body.d), number)
