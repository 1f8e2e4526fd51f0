"""How many sockets may be open and how fast frames may come: counts, no sockets.

Decides and counts; what happens to who is refused is the caller's business.
"""

from collections import Counter
from typing import Final, NamedTuple

from kit.clock import Clock
from kit.web.forwarded import neighbourhood
from kit.web.limits import TokenBucket

STRIKES: Final = 3
"""Frames over the rate that close a socket; a quiet minute forgives them."""

FORGIVE_S: Final = 60.0

FORBIDDEN: Final = 10
"""Subscriptions to foreign streams that close a socket."""


class Rate(NamedTuple):
    """Frames of one socket."""

    per_s: float
    burst: int

    def bucket(self, clock: Clock) -> TokenBucket:
        """Return a full bucket for a new socket."""
        return TokenBucket(self.per_s, self.burst, clock)


class Doors:
    """How many sockets are inside, and how many of each address have not said hello.

    Of IPv6 a /64 counts as one address.
    """

    def __init__(self, *, sockets: int, unauthenticated: int) -> None:
        self._sockets = sockets
        self._unauthenticated = unauthenticated
        self._strangers: Counter[str] = Counter()
        self.inside = 0

    @property
    def full(self) -> bool:
        """Tell whether this gateway holds as many sockets as it may."""
        return self.inside >= self._sockets

    def crowded(self, address: str) -> bool:
        """Tell whether an address has too many sockets that have not said hello."""
        return self._strangers[neighbourhood(address)] >= self._unauthenticated

    def enter(self, address: str) -> None:
        """Count a new socket."""
        self.inside += 1
        self._strangers[neighbourhood(address)] += 1

    def introduced(self, address: str) -> None:
        """A socket has said hello, or left without."""
        key = neighbourhood(address)
        self._strangers[key] -= 1
        if self._strangers[key] <= 0:
            del self._strangers[key]

    def leave(self) -> None:
        """Forget a socket; `introduced` was called before."""
        self.inside -= 1
