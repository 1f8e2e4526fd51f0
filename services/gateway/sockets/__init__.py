"""The network side of the gateway: upgrades, frames in, time limits, drain.

Knows picows and the protocol's order of frames; what a frame does is the business of others.
"""

from services.gateway.sockets.authenticator import Authenticator
from services.gateway.sockets.connection import Connection
from services.gateway.sockets.dispatcher import FrameDispatcher
from services.gateway.sockets.drain import Drain, DrainTimes
from services.gateway.sockets.handshake import Handshake
from services.gateway.sockets.port import Limits
from services.gateway.sockets.protocol import websocket_class
from services.gateway.sockets.rates import FrameRates
from services.gateway.sockets.reaper import Reaper
from services.gateway.sockets.registry import ConnectionRegistry
from services.gateway.sockets.sessions import SocketSessions

__all__ = [
    "Authenticator",
    "Connection",
    "ConnectionRegistry",
    "Drain",
    "DrainTimes",
    "FrameDispatcher",
    "FrameRates",
    "Handshake",
    "Limits",
    "Reaper",
    "SocketSessions",
    "websocket_class",
]
