"""Connections from upgrade to end: who has not said hello yet, and who was told goodbye.

Knows how many there may be; must not know what they say.
"""

from kit.clock import Clock
from kit.metrics import Metrics
from kit.web.capacity import ConnectionLimits
from services.gateway.hub import Hub, SocketSession
from services.gateway.sockets.port import Peer


class ConnectionRegistry:
    """All connections of this gateway. The reaper limits how long one is in either set."""

    def __init__(
        self, hub: Hub, limits: ConnectionLimits, *, clock: Clock, metrics: Metrics
    ) -> None:
        self._hub = hub
        self._limits = limits
        self._clock = clock
        self._metrics = metrics
        self.unauthenticated: set[Peer] = set()
        self.leaving: set[Peer] = set()

    def now(self) -> float:
        """Return the monotonic time."""
        return self._clock.monotonic()

    def opened(self, peer: Peer) -> None:
        """A connection is upgraded and has not said hello."""
        peer.opened_at = self.now()
        self._limits.enter()
        self._limits.unauthenticated(peer.address)
        self.unauthenticated.add(peer)

    def authenticated(self, peer: Peer, socket: SocketSession) -> None:
        """A connection has said hello, and has its session from now on."""
        peer.socket = socket
        self.unauthenticated.discard(peer)
        self._limits.authenticated(peer.address)
        self._hub.enter(socket)
        self._metrics.sockets.labels(socket.person.role).inc()

    def closed(self, peer: Peer, code: int) -> None:
        """We said goodbye; the peer is to answer."""
        self.leaving.add(peer)
        self._metrics.socket_closes.labels(str(code)).inc()

    def left(self, peer: Peer) -> None:
        """A connection is gone."""
        self.leaving.discard(peer)
        if peer in self.unauthenticated:
            self.unauthenticated.remove(peer)
            self._limits.authenticated(peer.address)
        if peer.socket is not None:
            self._metrics.sockets.labels(peer.socket.person.role).dec()
            peer.socket.closing_since = peer.socket.closing_since or self.now()
            self._hub.leave(peer.socket)
        self._limits.leave()
