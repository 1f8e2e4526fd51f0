"""What becomes of a connection's messages: hello first, then each frame to whom it concerns.

Knows the order of frames and that they have a rate; must not know how anything is carried out.
"""

from typing import assert_never

from contracts.frames import CloseCode
from kit.clock import Clock
from kit.errors import AppError
from kit.metrics import Metrics
from services.gateway.frames import client, server
from services.gateway.frames.client import (
    ClientFrame,
    Hello,
    NotUtf8,
    Ping,
    Read,
    Send,
    Sub,
    Token,
    Typing,
    Unreadable,
    Unsub,
    Viewing,
)
from services.gateway.frames.refusals import RateLimited
from services.gateway.hub import SocketSession
from services.gateway.inbound import Inbound, Signals
from services.gateway.sockets.port import Peer
from services.gateway.sockets.rates import FrameRates
from services.gateway.sockets.sessions import SocketSessions
from services.gateway.sockets.turns import LoopTurns
from services.gateway.streams import Streams


class FrameDispatcher:
    """Shared by all connections of this gateway."""

    def __init__(
        self,
        sessions: SocketSessions,
        rates: FrameRates,
        *,
        inbound: Inbound,
        signals: Signals,
        streams: Streams,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._sessions = sessions
        self._rates = rates
        self._inbound = inbound
        self._signals = signals
        self._streams = streams
        self._clock = clock
        self._metrics = metrics
        self.turns = LoopTurns()
        self._counters = {
            name: metrics.frames_in.labels(name)
            for name in (
                "send",
                "sub",
                "unsub",
                "read",
                "typing",
                "viewing",
                "ping",
                "token",
                "other",
            )
        }

    # ---- what a connection brings

    def message(self, peer: Peer, payload: bytes) -> int:
        """Take one whole text message; return how many frames of the rate it counts as."""
        socket = peer.socket
        if socket is None:
            self._sessions.begin(peer, payload)
            return 1
        try:
            frame = client.read(payload)
        except Unreadable as unreadable:
            weight = client.weight(None, len(payload))
            self._counters["other"].inc()
            self._rates.admit(socket, weight)
            self._refuse(socket, unreadable.frame_id, unreadable.error)
            return weight
        except NotUtf8:
            socket.close(CloseCode.NOT_UTF8, self._clock.monotonic())
            return 1
        weight = client.weight(frame, len(payload))
        admitted = self._rates.admit(socket, weight)
        if not socket.closing:
            self._count(frame)
            if admitted:
                self._act(socket, frame)
            else:
                self._too_fast(socket, frame)
        return weight

    def beat(self, peer: Peer) -> bool:
        """Count a protocol-level ping as a frame; tell whether to answer it."""
        socket = peer.socket
        if socket is None:
            self.fail(peer, CloseCode.PROTOCOL)
            return False
        admitted = self._rates.admit(socket, 1)
        if not admitted:
            self._refuse(socket, None, RateLimited())
        return admitted

    def fail(self, peer: Peer, code: CloseCode) -> None:
        """Close for a mistake on the socket."""
        if peer.socket is not None:
            peer.socket.close(code, self._clock.monotonic())
        else:
            peer.close(code, code.name.lower().replace("_", " "))

    # ---- frames

    def _act(self, socket: SocketSession, frame: ClientFrame) -> None:
        match frame:
            case Send():
                self._inbound.send(socket, frame)
            case Sub():
                self._streams.subscribe(socket, frame.s, frame_id=frame.id, position=frame.position)
            case Unsub():
                self._streams.unsubscribe(socket, frame.s, frame_id=frame.id)
            case Read():
                self._signals.give(socket, frame.s, signal="read", position=frame.position)
            case Typing():
                self._signals.give(socket, frame.s, signal="typing")
            case Viewing():
                self._signals.view(socket, frame.s, on=frame.on)
            case Ping():
                socket.answer(server.pong(frame.ts, self._clock.now()))
            case Token():
                self._sessions.renew(socket, frame)
            case Hello():
                socket.close(CloseCode.PROTOCOL, self._clock.monotonic())  # it was said before
            case _:
                assert_never(frame)

    def _count(self, frame: ClientFrame) -> None:
        """Count a frame by its type; a second `hello` has none of its own."""
        name = str(frame.__struct_config__.tag)
        self._counters.get(name, self._counters["other"]).inc()

    def _too_fast(self, socket: SocketSession, frame: object) -> None:
        """Refuse a frame over the rate by its id: who sent it must know which one to send again."""
        if isinstance(frame, Send):
            self._inbound.defer(socket, frame, RateLimited())
        else:
            self._refuse(socket, getattr(frame, "id", None), RateLimited())

    def _refuse(self, socket: SocketSession, frame_id: str | None, refusal: AppError) -> None:
        self._metrics.frames_refused.labels(refusal.slug).inc()
        socket.answer(server.err(frame_id, refusal))
