"""What becomes of a connection's messages: hello first, then each frame to whom it concerns.

Knows tokens, the order of frames and their rate; must not know how anything is carried out.
"""

from datetime import UTC, datetime
from typing import Final, assert_never

from contracts.base import rfc3339
from contracts.frames import (
    BYTES_PER_FRAME,
    CHARS_PER_FRAME,
    FRAME_BYTES,
    REPLAY_LIMIT,
    TEXT_CHARS,
    CloseCode,
)
from kit.clock import Clock
from kit.errors import AppError
from kit.ids import Ids
from kit.metrics import Metrics
from kit.web.auth import TokenExpired
from kit.web.capacity import ConnectionLimits
from kit.web.limits import TokenBucket
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
)
from services.gateway.frames.names import stream_of
from services.gateway.frames.refusals import RateLimited
from services.gateway.hub import Hub, Person, SocketSession
from services.gateway.inbound import Inbound, Signals
from services.gateway.limits import FORGIVE_S, STRIKES, SharedRates
from services.gateway.sockets.authenticator import Authenticator, NotAdmitted
from services.gateway.sockets.port import Limits, Peer
from services.gateway.sockets.turns import LoopTurns
from services.gateway.streams import Streams

VERSION: Final = 1


class FrameDispatcher:
    """Shared by all connections of this gateway."""

    def __init__(
        self,
        *,
        hub: Hub,
        authenticator: Authenticator,
        connections: ConnectionLimits,
        inbound: Inbound,
        signals: Signals,
        streams: Streams,
        clock: Clock,
        ids: Ids,
        metrics: Metrics,
        limits: Limits,
    ) -> None:
        self._hub = hub
        self._authenticator = authenticator
        self._connections = connections
        self._inbound = inbound
        self._signals = signals
        self._streams = streams
        self._clock = clock
        self._ids = ids
        self._metrics = metrics
        self._limits = limits
        self._shared = SharedRates(limits.rate, clock)
        self.turns = LoopTurns()
        self.unauthenticated: set[Peer] = set()
        self.leaving: set[Peer] = set()
        self._counters = {
            name: metrics.frames_in.labels(name)
            for name in ("send", "sub", "unsub", "read", "typing", "ping", "token", "other")
        }

    def now(self) -> float:
        """Return the monotonic time."""
        return self._clock.monotonic()

    # ---- a connection's life

    def opened(self, peer: Peer) -> None:
        """A connection is upgraded and has not said hello."""
        peer.opened_at = self.now()
        self._connections.enter()
        self._connections.unauthenticated(peer.address)
        self.unauthenticated.add(peer)

    def left(self, peer: Peer) -> None:
        """A connection is gone."""
        self.leaving.discard(peer)
        if peer in self.unauthenticated:
            self.unauthenticated.remove(peer)
            self._connections.authenticated(peer.address)
        if peer.socket is not None:
            self._metrics.sockets.labels(peer.socket.person.role).dec()
            peer.socket.closing_since = peer.socket.closing_since or self.now()
            self._hub.leave(peer.socket)
        self._connections.leave()

    def closed(self, peer: Peer, code: int) -> None:
        """We said goodbye; the peer is to answer."""
        self.leaving.add(peer)
        self._metrics.socket_closes.labels(str(code)).inc()

    def fail(self, peer: Peer, code: CloseCode) -> None:
        """Close for a mistake on the socket."""
        if peer.socket is not None:
            peer.socket.close(code, self.now())
        else:
            peer.close(code, code.name.lower().replace("_", " "))

    def beat(self, peer: Peer) -> bool:
        """Count a protocol-level ping as a frame; tell whether to answer it."""
        socket = peer.socket
        if socket is None:
            self.fail(peer, CloseCode.PROTOCOL)
            return False
        admitted = self._admitted(socket, 1)
        if not admitted:
            self._refuse(socket, None, RateLimited())
        return admitted

    # ---- messages

    def message(self, peer: Peer, payload: bytes) -> int:
        """Take one whole text message; return how many frames of the rate it counts as."""
        socket = peer.socket
        if socket is None:
            self._introduce(peer, payload)
            return 1
        try:
            frame = client.read(payload)
        except Unreadable as unreadable:
            weight = client.weight(None, len(payload))
            self._counters["other"].inc()
            self._admitted(socket, weight)
            self._refuse(socket, unreadable.frame_id, unreadable.error)
            return weight
        except NotUtf8:
            socket.close(CloseCode.NOT_UTF8, self.now())
            return 1
        weight = client.weight(frame, len(payload))
        admitted = self._admitted(socket, weight)
        if not socket.closing:
            self._count(frame)
            if admitted:
                self._act(socket, frame)
            else:
                self._too_fast(socket, frame)
        return weight

    def _too_fast(self, socket: SocketSession, frame: object) -> None:
        """Refuse a frame over the rate by its id: who sent it must know which one to send again."""
        if isinstance(frame, Send):
            self._inbound.defer(socket, frame, RateLimited())
        else:
            self._refuse(socket, getattr(frame, "id", None), RateLimited())

    def _admitted(self, socket: SocketSession, weight: int) -> bool:
        """Keep the rate: tell whether a frame is within it; the third one over it closes (4003)."""
        now = self.now()
        if now - socket.heard_at > FORGIVE_S:
            socket.strikes = 0
        socket.heard_at = now
        if socket.bucket.take(weight):
            return True
        socket.strikes += 1
        if socket.strikes >= STRIKES:
            socket.close(CloseCode.RATE, now)
        return False

    # ---- hello

    def _introduce(self, peer: Peer, payload: bytes) -> None:
        try:
            hello = client.read(payload)
        except NotUtf8:
            peer.close(CloseCode.NOT_UTF8, "not UTF-8")
            return
        except Unreadable:
            peer.close(CloseCode.PROTOCOL, "say hello first")
            return
        if not isinstance(hello, Hello):
            peer.close(CloseCode.PROTOCOL, "say hello first")
        elif hello.v != VERSION:
            peer.close(CloseCode.VERSION, f"this is version {VERSION}")
        else:
            self._welcome(peer, hello)

    def _welcome(self, peer: Peer, hello: Hello) -> None:
        try:
            person = self._authenticator.person(hello.token or peer.bearer)
        except TokenExpired:
            peer.close(CloseCode.TOKEN_EXPIRED, "token expired")
            return
        except NotAdmitted:
            peer.close(CloseCode.BAD_TOKEN, "bad token")
            return
        peer.bearer = None
        instance = hello.client.instance if hello.client is not None else None
        self._make_room(person, instance)
        if len(self._hub.people.get(person.subject, ())) >= self._limits.sockets_per_person:
            peer.close(CloseCode.TOO_MANY, "too many connections")
            return
        now = self.now()
        socket = SocketSession(
            peer,
            person,
            socket_id=self._ids.new(),
            bucket=self._bucket_of(person),
            limits=self._limits.queue,
            drained=self._streams.refill,
            now=now,
            instance=instance,
        )
        peer.socket = socket
        self.unauthenticated.discard(peer)
        self._connections.authenticated(peer.address)
        self._hub.enter(socket)
        self._metrics.sockets.labels(person.role).inc()
        socket.answer(server.ready(self._ready(socket)))
        for place in hello.resume:
            self._subscribe(socket, place.s, frame_id=None, position=place.position)

    def _bucket_of(self, person: Person) -> TokenBucket:
        """Return what a socket's frames are taken from; the gate's work for staff is bounded so."""
        if person.is_buyer:
            return self._limits.rate.bucket(self._clock)
        return self._shared.of(person.subject)

    def _make_room(self, person: Person, instance: str | None) -> None:
        """A running client that comes again replaces its own older socket."""
        if instance is None:
            return
        for other in list(self._hub.people.get(person.subject, ())):
            if other.instance == instance:
                other.close(CloseCode.REPLACED, self.now())
                self._hub.leave(other)

    def _ready(self, socket: SocketSession) -> dict[str, object]:
        person = socket.person
        return {
            "session": socket.id,
            "user": {
                "id": person.subject,
                "role": person.role,
                "shop_id": person.shop_id,
                "name": person.name,
            },
            "hb_ms": round(self._limits.heartbeat_s * 1000),
            "limits": self.limits(),
            "server_time": rfc3339(self._clock.now()),
        }

    def limits(self) -> dict[str, object]:
        """Return what a client must keep to."""
        return {
            "frame_bytes": FRAME_BYTES,
            "text_chars": TEXT_CHARS,
            "chars_per_frame": CHARS_PER_FRAME,
            "bytes_per_frame": BYTES_PER_FRAME,
            "frames_per_s": round(self._limits.rate.per_s),
            "burst": self._limits.rate.burst,
            "subscriptions": self._limits.subscriptions,
            "replay": REPLAY_LIMIT,
        }

    # ---- frames

    def _act(self, socket: SocketSession, frame: ClientFrame) -> None:
        match frame:
            case Send():
                self._inbound.send(socket, frame)
            case Sub():
                self._subscribe(socket, frame.s, frame_id=frame.id, position=frame.position)
            case Unsub():
                self._unsub(socket, frame)
            case Read():
                self._signals.give(socket, frame.s, signal="read", position=frame.position)
            case Typing():
                self._signals.give(socket, frame.s, signal="typing")
            case Ping():
                socket.answer(server.pong(frame.ts, self._clock.now()))
            case Token():
                self._token(socket, frame)
            case Hello():
                socket.close(CloseCode.PROTOCOL, self.now())  # it was said before
            case _:
                assert_never(frame)

    def _count(self, frame: ClientFrame) -> None:
        """Count a frame by its type; a second `hello` has none of its own."""
        name = str(frame.__struct_config__.tag)
        self._counters.get(name, self._counters["other"]).inc()

    def _subscribe(
        self, socket: SocketSession, s: str, *, frame_id: str | None, position: object
    ) -> None:
        try:
            name = stream_of(s)
        except AppError as refusal:
            self._refuse(socket, frame_id, refusal)
        else:
            self._streams.subscribe(socket, name, frame_id=frame_id, position=position)

    def _unsub(self, socket: SocketSession, frame: Unsub) -> None:
        try:
            name = stream_of(frame.s)
        except AppError as refusal:
            self._refuse(socket, frame.id, refusal)
        else:
            self._streams.unsubscribe(socket, name, frame_id=frame.id)

    def _token(self, socket: SocketSession, frame: Token) -> None:
        """Go on with a fresh token of the same subject, role and shop."""
        try:
            person = self._authenticator.person(frame.token)
        except (NotAdmitted, TokenExpired):
            socket.close(CloseCode.BAD_TOKEN, self.now())
            return
        if person[:3] != socket.person[:3]:
            socket.close(CloseCode.BAD_TOKEN, self.now())
            return
        socket.person = person
        expires_at = datetime.fromtimestamp(person.expires_at, UTC)
        socket.answer(server.ok(frame.id, {"expires_at": rfc3339(expires_at)}))

    def _refuse(self, socket: SocketSession, frame_id: str | None, refusal: AppError) -> None:
        self._metrics.frames_refused.labels(refusal.slug).inc()
        socket.answer(server.err(frame_id, refusal))
