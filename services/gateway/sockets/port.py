"""What a connection and whoever takes its messages must know of each other, and their limits.

Knows neither: each stands on this and not on the other.
"""

from typing import NamedTuple, Protocol

from contracts.frames import CloseCode
from services.gateway.hub import QueueLimits, SocketSession
from services.gateway.limits import Rate
from services.gateway.sockets.turns import LoopTurns


class Limits(NamedTuple):
    """What a client gets and must keep to, and how long each kind of silence may last."""

    rate: Rate
    queue: QueueLimits
    sockets_per_person: int
    subscriptions: int
    heartbeat_s: float
    hello_s: float
    silence_s: float
    slow_reader_s: float


class Peer(Protocol):
    """An upgraded connection. Before `hello` it has no session; `bearer` is forgotten with it."""

    address: str
    bearer: str | None
    socket: SocketSession | None
    opened_at: float
    closed_at: float | None

    def write(self, frame: bytes) -> None:
        """Hand over a complete frame; never waits."""

    def close(self, code: int, reason: str) -> None:
        """Say goodbye after what was written."""

    def abort(self) -> None:
        """Cut the connection now."""


class Receiver(Protocol):
    """Who takes the messages of all connections, and is told of their beginning and end."""

    turns: LoopTurns

    def now(self) -> float:
        """Return the monotonic time."""

    def opened(self, peer: Peer) -> None:
        """A connection is upgraded and has not said hello."""

    def left(self, peer: Peer) -> None:
        """A connection is gone."""

    def closed(self, peer: Peer, code: int) -> None:
        """We said goodbye; the peer is to answer."""

    def fail(self, peer: Peer, code: CloseCode) -> None:
        """Close for a mistake on the socket."""

    def beat(self, peer: Peer) -> bool:
        """Count a protocol-level ping as a frame; tell whether to answer it."""

    def message(self, peer: Peer, payload: bytes) -> int:
        """Take one whole text message; return how many frames of the rate it counts as."""
