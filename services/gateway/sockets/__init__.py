"""The network side of the gateway: upgrades, frames in, time limits, drain.

Knows picows and the protocol's order of frames; what a frame does is the business of others.
"""

from services.gateway.sockets.connection import Connection
from services.gateway.sockets.drain import Drain, DrainTimes
from services.gateway.sockets.passports import Passports
from services.gateway.sockets.port import Terms
from services.gateway.sockets.protocol import websocket_class
from services.gateway.sockets.reception import Reception
from services.gateway.sockets.sweep import Sweep
from services.gateway.sockets.upgrade import Upgrades

__all__ = [
    "Connection",
    "Drain",
    "DrainTimes",
    "Passports",
    "Reception",
    "Sweep",
    "Terms",
    "Upgrades",
    "websocket_class",
]
