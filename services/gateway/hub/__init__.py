"""Live state of the gateway: who is connected, what each socket watches, what the directory says.

Delivers what it is given; reads no topic, asks no service, holds nothing that must survive.
"""

from services.gateway.hub.directory import Directory
from services.gateway.hub.hub import Hub
from services.gateway.hub.session import Caps, Person, Session, Wire
from services.gateway.hub.streams import Seat, Stream, View

__all__ = ["Caps", "Directory", "Hub", "Person", "Seat", "Session", "Stream", "View", "Wire"]
