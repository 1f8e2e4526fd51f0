"""How many sockets may be open and how fast frames may come: counts, no sockets.

Decides and counts; what happens to who is refused is the caller's business.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from kit.clock import Clock
from kit.web.forwarded import neighbourhood
from kit.web.limits import TokenBucket

STRIKES: Final = 3
"""Frames over the rate that close a socket; a quiet minute forgives them."""

FORGIVE_S: Final = 60.0

PEOPLE: Final = 20_000
"""People whose bucket is remembered; who came longest ago is forgotten, and begins with a full
one."""

FRAMES_A_TURN: Final = 8
"""Frames, by their weight against the rate, taken of one socket in one turn of the event loop, and
of all sends together that waited for a look-up. The rest waits until the others had their turn;
nothing more is read from the socket meanwhile, so what waits is what one read had brought."""

FORBIDDEN: Final = 10
"""Subscriptions to foreign streams that close a socket."""


class Rate(NamedTuple):
    """Frames of one socket, or of all sockets of one person."""

    per_s: float
    burst: int

    def bucket(self, clock: Clock) -> TokenBucket:
        """Return a full bucket."""
        return TokenBucket(self.per_s, self.burst, clock)


class SharedRates:
    """One bucket per person, for those whose sockets share it: ten are not ten times a rate."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def of(self, subject: str) -> TokenBucket:
        """Return the person's bucket. It outlives the sockets: coming anew fills nothing."""
        bucket = self._buckets.get(subject)
        if bucket is None:
            bucket = self._buckets[subject] = self._rate.bucket(self._clock)
            if len(self._buckets) > PEOPLE:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(subject)
        return bucket


class FairTurns:
    """So much at once for everybody, of that so much for one person; the rest waits in order."""

    def __init__(self, *, everybody: int, each: int) -> None:
        self._everybody = asyncio.Semaphore(everybody)
        self._each = each
        self._own: dict[str, tuple[asyncio.Semaphore, list[None]]] = {}

    def __len__(self) -> int:
        return len(self._own)

    @asynccontextmanager
    async def of(self, subject: str) -> AsyncIterator[None]:
        """Wait for a turn of this person; who holds none is remembered no longer."""
        own, users = self._own.setdefault(subject, (asyncio.Semaphore(self._each), []))
        users.append(None)
        try:
            async with own, self._everybody:
                yield
        finally:
            users.pop()
            if not users:
                del self._own[subject]


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
