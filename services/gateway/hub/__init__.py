"""Live state of the gateway: who is connected, what each socket watches, what the directory says.

Delivers what it is given; reads no topic, asks no service, holds nothing that must survive.
"""

from services.gateway.hub.conversations import (
    Conversation,
    ConversationSubscription,
    View,
    subscription_to,
)
from services.gateway.hub.directory import Directory
from services.gateway.hub.hub import Hub
from services.gateway.hub.person import Person
from services.gateway.hub.session import (
    Abandoned,
    NeedsSnapshot,
    QueueLimits,
    SocketSession,
    StreamKind,
    Subscription,
    Wire,
)

__all__ = [
    "Abandoned",
    "Conversation",
    "ConversationSubscription",
    "Directory",
    "Hub",
    "NeedsSnapshot",
    "Person",
    "QueueLimits",
    "SocketSession",
    "StreamKind",
    "Subscription",
    "View",
    "Wire",
    "subscription_to",
]
