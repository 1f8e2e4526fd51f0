"""What a connection and whoever takes its messages must know of each other, and their limits.

Knows neither: each stands on this and not on the other.
"""

from typing import NamedTuple, Protocol

from contracts.frames import (
    BYTES_PER_FRAME,
    CHARS_PER_FRAME,
    FRAME_BYTES,
    REPLAY_LIMIT,
    TEXT_CHARS,
    CloseCode,
)
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

    def shown(self) -> dict[str, object]:
        """Return what a client must keep to, as `ready` and REST show it."""
        return {
            "frame_bytes": FRAME_BYTES,
            "text_chars": TEXT_CHARS,
            "chars_per_frame": CHARS_PER_FRAME,
            "bytes_per_frame": BYTES_PER_FRAME,
            "frames_per_s": round(self.rate.per_s),
            "burst": self.rate.burst,
            "subscriptions": self.subscriptions,
            "replay": REPLAY_LIMIT,
        }


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


class Registry(Protocol):
    """Who is told of the beginning and the end of all connections (`ConnectionRegistry`)."""

    def now(self) -> float:
        """Return the monotonic time."""

    def opened(self, peer: Peer) -> None:
        """A connection is upgraded and has not said hello."""

    def closed(self, peer: Peer, code: int) -> None:
        """We said goodbye; the peer is to answer."""

    def left(self, peer: Peer) -> None:
        """A connection is gone."""


class Receiver(Protocol):
    """Who takes what all connections bring (`FrameDispatcher`)."""

    turns: LoopTurns

    def message(self, peer: Peer, payload: bytes) -> int:
        """Take one whole text message; return how many frames of the rate it counts as."""

    def beat(self, peer: Peer) -> bool:
        """Count a protocol-level ping as a frame; tell whether to answer it."""

    def fail(self, peer: Peer, code: CloseCode) -> None:
        """Close for a mistake on the socket."""
