"""Live state of the gateway: who is connected, what each socket watches, what the directory says.

Delivers what it is given; reads no topic, asks no service, holds nothing that must survive.
"""

from services.gateway.hub.conversations import Conversation, Seat, View, seat_of
from services.gateway.hub.directory import Directory
from services.gateway.hub.hub import Hub
from services.gateway.hub.person import Person
from services.gateway.hub.session import (
    Abandoned,
    Caps,
    Keeper,
    NeedsSnapshot,
    Session,
    Subscription,
    Wire,
)

__all__ = [
    "Abandoned",
    "Caps",
    "Conversation",
    "Directory",
    "Hub",
    "Keeper",
    "NeedsSnapshot",
    "Person",
    "Seat",
    "Session",
    "Subscription",
    "View",
    "Wire",
    "seat_of",
]
