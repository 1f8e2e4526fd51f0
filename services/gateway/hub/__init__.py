"""Live state of the gateway: who is connected, what each socket watches, what the directory says.

Delivers what it is given; reads no topic, asks no service, holds nothing that must survive.
"""

from services.gateway.hub.conversations import Conversation, Seat, View
from services.gateway.hub.directory import Directory
from services.gateway.hub.hub import Hub
from services.gateway.hub.session import Caps, Person, Session, Wire
from services.gateway.hub.subscriptions import (
    Abandoned,
    BoardSubscription,
    InboxSubscription,
    Subscription,
)

__all__ = [
    "Abandoned",
    "BoardSubscription",
    "Caps",
    "Conversation",
    "Directory",
    "Hub",
    "InboxSubscription",
    "Person",
    "Seat",
    "Session",
    "Subscription",
    "View",
    "Wire",
]
