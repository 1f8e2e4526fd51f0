"""A send that can be read: what it says, and which message it is.

The same words of the same person under the same id are the same message (H3). Pure.
"""

from typing import NamedTuple

from kit.ids import derived_id
from services.gateway.frames import records
from services.gateway.frames.client import Body, Send, body_of
from services.gateway.hub import ConversationSubscription


class ParsedSend(NamedTuple):
    """The frame, what it says, its identity, and its place among all sends of this gateway."""

    frame: Send
    body: Body
    message_id: str
    body_hash: str
    number: int


def parse(subscription: ConversationSubscription, frame: Send, *, number: int) -> ParsedSend:
    """Read a send. Raises `BadFrame` or `BadText`."""
    body = body_of(frame)
    key, sender = subscription.conversation.key.decode(), subscription.socket.person.subject
    message_id = derived_id("message", key, sender, frame.id)
    return ParsedSend(frame, body, message_id, records.body_hash(frame.kind, body.d), number)
