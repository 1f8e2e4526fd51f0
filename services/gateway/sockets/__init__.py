"""The network side of the gateway: upgrades, frames in, time limits, drain.

Knows picows and the protocol's order of frames; what a frame does is the business of others.
"""

from services.gateway.sockets.authenticator import Authenticator
from services.gateway.sockets.protocol import websocket_class

__all__ = ["Authenticator", "websocket_class"]
