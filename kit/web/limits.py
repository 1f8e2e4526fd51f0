"""How often somebody may do something: token buckets, attempts at a login, and who is one caller.

Kept in memory, per process. Knows keys and a clock, never what is limited.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from kit.clock import Clock
from kit.errors import TooMany

KEYS_LIMIT: Final = 50_000
"""Keys remembered at once; the one unused longest is forgotten first."""

STRANGER_RATE: Final = 1.0
STRANGER_BURST: Final = 60.0
"""Things that are not there, or not theirs, a caller may ask for: a second, and at once.

More are answered 429, so that ids cannot be tried by the thousand. A person who follows old links
never comes near it.
"""


class TokenBucket:
    """Lets `burst` through at once and `rate` a second after that."""

    __slots__ = ("_burst", "_clock", "_level", "_rate", "_then")

    def __init__(
        self, rate: float, burst: float, clock: Clock, *, level: float | None = None
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._level = burst if level is None else min(burst, level)
        self._then = clock.monotonic()

    def left(self) -> float:
        """Return what can be taken at once now."""
        now = self._clock.monotonic()
        self._level = min(self._burst, self._level + (now - self._then) * self._rate)
        self._then = now
        return self._level

    def take(self, amount: float = 1.0) -> bool:
        """Take from the bucket; False means that nothing was taken because too little is left."""
        if self.left() < amount:
            return False
        self._level -= amount
        return True

    def wait_s(self, amount: float = 1.0) -> float:
        """Return the seconds until `amount` can be taken, as of the last take."""
        return max(0.0, (amount - self._level) / self._rate)


class KeyedBuckets:
    """One bucket per key, for limits per buyer, shop or address."""

    def __init__(
        self, rate: float, burst: float, *, clock: Clock, keys_limit: int = KEYS_LIMIT
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._keys_limit = keys_limit
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def spend(self, key: str, amount: float = 1.0) -> None:
        """Take from the key's bucket. Raises `TooMany` with the seconds to wait."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._rate, self._burst, self._clock)
            if len(self._buckets) > self._keys_limit:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        if not bucket.take(amount):
            raise TooMany(retry_after=math.ceil(bucket.wait_s(amount)))


class ForeignIdLimits:
    """Slows down callers who ask for what is not theirs: every service keeps its own count.

    What is another shop's and what does not exist cost the same, so that nobody can tell them
    apart by the limit either.
    """

    def __init__(self, clock: Clock) -> None:
        self._buckets = KeyedBuckets(STRANGER_RATE, STRANGER_BURST, clock=clock)

    def met(self, subject: str) -> None:
        """Count a thing that was not there for this caller. Raises `TooMany`."""
        self._buckets.spend(subject)


@dataclass(slots=True)
class _Attempts:
    """What is known of one key: failures since the window opened, and attempts under way."""

    since: float
    failed: int = 0
    reserved: int = 0


class AttemptLimiter:
    """Counts failed attempts per key in a window; the key then waits for the window to end.

    An attempt is reserved before it is made and counts at once, so that attempts side by side are
    no more than attempts in a row. Whoever reserves must afterwards say `failed` or `give_back`.
    """

    def __init__(
        self, attempts: int, window_s: float, *, clock: Clock, keys_limit: int = KEYS_LIMIT
    ) -> None:
        self._attempts = attempts
        self._window_s = window_s
        self._clock = clock
        self._keys_limit = keys_limit
        self._known: OrderedDict[str, _Attempts] = OrderedDict()

    def reserve(self, key: str) -> None:
        """Begin an attempt. Raises `TooMany`, with the seconds to wait, if none is left."""
        now = self._clock.monotonic()
        known = self._of(key, now)
        if known.failed >= self._attempts:
            left = math.ceil(known.since + self._window_s - now)
            raise TooMany("Too many attempts: wait before you try again.", retry_after=left)
        if known.failed + known.reserved >= self._attempts:
            raise TooMany("Too many attempts at once: wait for their answers.")
        known.reserved += 1
        self._known[key] = known
        self._known.move_to_end(key)
        if len(self._known) > self._keys_limit:
            self._known.popitem(last=False)

    def failed(self, key: str) -> None:
        """End an attempt that failed; the first failure opens the window."""
        known = self._ended(key)
        if not known.failed:
            known.since = self._clock.monotonic()
        known.failed += 1
        self._known[key] = known

    def give_back(self, key: str) -> None:
        """End an attempt that succeeded, or that was not made."""
        known = self._ended(key)
        if not known.failed and not known.reserved:
            self._known.pop(key, None)

    def forget(self, key: str) -> None:
        """Forget the key's failures; what is under way goes on counting."""
        if key in self._known:
            self._known[key].failed = 0

    def has_failed(self, key: str) -> bool:
        """Tell whether an attempt failed within the window."""
        return self._of(key, self._clock.monotonic()).failed > 0

    def _of(self, key: str, now: float) -> _Attempts:
        known = self._known.get(key) or _Attempts(since=now)
        if now - known.since >= self._window_s:
            known.since, known.failed = now, 0
        return known

    def _ended(self, key: str) -> _Attempts:
        known = self._of(key, self._clock.monotonic())
        known.reserved = max(0, known.reserved - 1)
        return known


def origin_of(address: str) -> str:
    """Return what counts as one caller's place: an IPv4 address, or an IPv6 network of 64 bits.

    A household gets such a network whole, so its single addresses say nothing.
    """
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(IPv6Network((known.packed[:8] + bytes(8), 64)))
    return str(known)
