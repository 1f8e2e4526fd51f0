"""How often somebody may do something: token buckets, and attempts at a login.

Kept in memory, per process. Knows keys and a clock, never what is limited.
"""

import math
from collections import OrderedDict
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

    def __init__(self, rate: float, burst: float, clock: Clock) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._level = burst
        self._then = clock.monotonic()

    def take(self, amount: float = 1.0) -> bool:
        """Take from the bucket; False means that nothing was taken because too little is left."""
        now = self._clock.monotonic()
        self._level = min(self._burst, self._level + (now - self._then) * self._rate)
        self._then = now
        if self._level < amount:
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


class Strangers:
    """Slows down callers who ask for what is not theirs: every service keeps its own count.

    What is another shop's and what does not exist cost the same, so that nobody can tell them
    apart by the limit either.
    """

    def __init__(self, clock: Clock) -> None:
        self._buckets = KeyedBuckets(STRANGER_RATE, STRANGER_BURST, clock=clock)

    def met(self, subject: str) -> None:
        """Count a thing that was not there for this caller. Raises `TooMany`."""
        self._buckets.spend(subject)


class AttemptLimiter:
    """Counts failed attempts per key in a window; the key then waits for the window to end.

    Use one for the account and one for the address: the first stops guessing one password,
    the second stops guessing many accounts.
    """

    def __init__(
        self, attempts: int, window_s: float, *, clock: Clock, keys_limit: int = KEYS_LIMIT
    ) -> None:
        self._attempts = attempts
        self._window_s = window_s
        self._clock = clock
        self._keys_limit = keys_limit
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def check(self, key: str) -> None:
        """Raise `TooMany`, with the seconds to wait, if the key has used up its attempts."""
        since, count = self._failures.get(key, (0.0, 0))
        left = since + self._window_s - self._clock.monotonic()
        if count >= self._attempts and left > 0:
            raise TooMany(
                "Too many attempts: wait before you try again.", retry_after=math.ceil(left)
            )

    def failed(self, key: str) -> None:
        """Count a failure; the first one opens the window."""
        now = self._clock.monotonic()
        since, count = self._failures.pop(key, (now, 0))
        if now - since >= self._window_s:
            since, count = now, 0
        self._failures[key] = (since, count + 1)
        if len(self._failures) > self._keys_limit:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the key's failures."""
        self._failures.pop(key, None)
