"""How much may be inside at once: connections, and bytes of bodies (H42). Counts, no sockets.

Decides and counts; what happens to who is refused is the caller's business.
"""

from collections import Counter
from typing import Final

from kit.errors import Unavailable
from kit.web.forwarded import neighbourhood

BODIES_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of request bodies of one application that are held at once, from their arrival until the
request is answered; a chunk more is answered 503 with Retry-After and its connection closed."""

BODIES_SHARE: Final = BODIES_LIMIT // 4
"""Bytes of them that one address may hold: else 64 slow uploads would shut the door to all."""

CONNECTIONS: Final = 4_096
"""HTTP connections of one listener at once; one more is answered 503 and closed. Upgraded ones do
not count: the gateway's `sockets` does. A lower file limit makes it less (`kit.process.files`)."""

UNAUTHENTICATED: Final = 1_000
"""HTTP connections of one address with no token in hand; one more is answered 429 and closed."""


class Bodies:
    """Bytes of bodies in flight, in all and per address."""

    def __init__(self, limit: int = BODIES_LIMIT, share: int = BODIES_SHARE) -> None:
        self._limit = limit
        self._share = share
        self._held: Counter[str] = Counter()
        self.total = 0

    def take(self, address: str, octets: int) -> None:
        """Count bytes that have come. Raises `Unavailable`, counting nothing, over a limit."""
        key = neighbourhood(address)
        if self.total + octets > self._limit or self._held[key] + octets > self._share:
            raise Unavailable("Too much is being sent at once.")
        self.total += octets
        self._held[key] += octets

    def give(self, address: str, octets: int) -> None:
        """Forget bytes that were taken."""
        key = neighbourhood(address)
        self.total -= octets
        self._held[key] -= octets
        if self._held[key] <= 0:
            del self._held[key]


class ConnectionLimits:
    """Connections of a listener, or sockets: in all, and those of each address not authenticated.

    An HTTP connection is authenticated from the first request on it whose token was verified, to
    its end: a token that only looks like one changes nothing. A trusted proxy speaks for many
    people, so its connections are counted in all alone. Of IPv6 a /64 counts as one address.
    """

    def __init__(self, limit: int = CONNECTIONS, unauthenticated: int = UNAUTHENTICATED) -> None:
        self._limit = limit
        self._unauthenticated_limit = unauthenticated
        self._unauthenticated: Counter[str] = Counter()
        self.inside = 0

    @property
    def full(self) -> bool:
        """Tell whether there is room for no other connection."""
        return self.inside >= self._limit

    def crowded(self, address: str) -> bool:
        """Tell whether an address has as many unauthenticated connections as it may."""
        return self._unauthenticated[neighbourhood(address)] >= self._unauthenticated_limit

    def enter(self) -> None:
        """Count a new connection."""
        self.inside += 1

    def leave(self) -> None:
        """Forget a connection."""
        self.inside -= 1

    def unauthenticated(self, address: str) -> None:
        """Count a connection that has shown no token yet."""
        self._unauthenticated[neighbourhood(address)] += 1

    def authenticated(self, address: str) -> None:
        """Count it there no more: it has shown a token, or left without."""
        key = neighbourhood(address)
        self._unauthenticated[key] -= 1
        if self._unauthenticated[key] <= 0:
            del self._unauthenticated[key]
