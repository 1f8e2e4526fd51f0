"""Sessions of sockets: begun by `hello`, renewed by `token`.

Knows what a token is worth and how many sockets one person may have; must not know other frames.
"""

from datetime import UTC, datetime
from typing import Final

from contracts.base import rfc3339
from contracts.frames import CloseCode
from kit.clock import Clock
from kit.ids import Ids
from kit.web.auth import TokenExpired
from services.gateway.frames import client, server
from services.gateway.frames.client import Hello, NotUtf8, Token, Unreadable
from services.gateway.hub import Hub, Person, SocketSession
from services.gateway.sockets.authenticator import Authenticator, NotAdmitted
from services.gateway.sockets.port import Limits, Peer
from services.gateway.sockets.rates import FrameRates
from services.gateway.sockets.registry import ConnectionRegistry
from services.gateway.streams import Streams

VERSION: Final = 1


class SocketSessions:
    """Makes a session out of a connection, once its `hello` shows a good token."""

    def __init__(
        self,
        registry: ConnectionRegistry,
        authenticator: Authenticator,
        *,
        hub: Hub,
        streams: Streams,
        rates: FrameRates,
        clock: Clock,
        ids: Ids,
        limits: Limits,
    ) -> None:
        self._registry = registry
        self._authenticator = authenticator
        self._hub = hub
        self._streams = streams
        self._rates = rates
        self._clock = clock
        self._ids = ids
        self._limits = limits

    def begin(self, peer: Peer, payload: bytes) -> None:
        """Take the first message of a connection: either a session comes of it, or a goodbye."""
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

    def renew(self, socket: SocketSession, frame: Token) -> None:
        """Go on with a fresh token of the same subject, role and shop."""
        try:
            person = self._authenticator.person(frame.token)
        except (NotAdmitted, TokenExpired):
            socket.close(CloseCode.BAD_TOKEN, self._clock.monotonic())
            return
        if person[:3] != socket.person[:3]:
            socket.close(CloseCode.BAD_TOKEN, self._clock.monotonic())
            return
        socket.person = person
        expires_at = datetime.fromtimestamp(person.expires_at, UTC)
        socket.answer(server.ok(frame.id, {"expires_at": rfc3339(expires_at)}))

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
        socket = SocketSession(
            peer,
            person,
            socket_id=self._ids.new(),
            bucket=self._rates.bucket_of(person),
            limits=self._limits.queue,
            drained=self._streams.refill,
            now=self._clock.monotonic(),
            instance=instance,
        )
        self._registry.authenticated(peer, socket)
        socket.answer(server.ready(self._ready(socket)))
        for place in hello.resume:
            self._streams.subscribe(socket, place.s, frame_id=None, position=place.position)

    def _make_room(self, person: Person, instance: str | None) -> None:
        """A running client that comes again replaces its own older socket."""
        if instance is None:
            return
        for other in list(self._hub.people.get(person.subject, ())):
            if other.instance == instance:
                other.close(CloseCode.REPLACED, self._clock.monotonic())
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
            "limits": self._limits.shown(),
            "frames_left": int(socket.bucket.left()),
            "server_time": rfc3339(self._clock.now()),
        }
