"""How often somebody may try to come in: attempts at a login, sessions of a person, visitors (H44).

Counted in this process. Knows logins and origins, never a password.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from kit.clock import Clock
from kit.web.limits import AttemptLimiter, KeyedBuckets

LOGIN_WINDOW_S: Final = 300.0
"""The window in which failed attempts are counted."""

PAIR_ATTEMPTS: Final = 10
"""Failed attempts at one login from one address; more are answered 429."""

ADDRESS_ATTEMPTS: Final = 200
"""Failed attempts from one address, at whatever login: many people share one."""

LOGIN_ATTEMPTS: Final = 100
"""Failed attempts at one login from wherever: stops guessing from many addresses. Who has signed in
from his address within `FAMILIAR` passes nevertheless, so that nobody can lock a team out."""

FAMILIAR: Final = timedelta(days=30)
"""How long it is remembered from where somebody has signed in."""

LINE: Final = 32
"""Logins of one address that may wait for their hash: a team signs in behind one."""

LINE_OF_SUSPECT: Final = 2
"""The same where an attempt has failed within the window."""

SESSIONS_PER_S: Final = 0.2
SESSIONS_AT_ONCE: Final = 60
"""Sessions that one person may open or renew: each leaves a row that lives as long as the session.
More are answered 429; a client renews every 15 minutes."""


@dataclass
class Attempt:
    """One attempt at a login. Given back until it has `begun`, then failed until `right`."""

    limits: "LoginLimits"
    login: str
    origin: str
    begun: bool = False
    right: bool = False
    exempt: bool = True

    def count_login(self) -> None:
        """Count it against the login too: the person is not familiar here. Raises `TooMany`."""
        self.limits.logins.reserve(self.login)
        self.exempt = False

    @property
    def line(self) -> int:
        """How many of this address may wait."""
        return LINE_OF_SUSPECT if self.limits.addresses.has_failed(self.origin) else LINE

    def end(self) -> None:
        """Count it, or give it back."""
        limits, pair = self.limits, _pair(self.login, self.origin)
        counted = [(limits.addresses, self.origin), (limits.pairs, pair)]
        if not self.exempt:
            counted.append((limits.logins, self.login))
        for limiter, key in counted:
            if self.begun and not self.right:
                limiter.failed(key)
            else:
                limiter.give_back(key)
        if self.right:
            limits.pairs.forget(pair)


@dataclass(frozen=True)
class LoginLimits:
    """The counters."""

    pairs: AttemptLimiter
    addresses: AttemptLimiter
    logins: AttemptLimiter
    sessions: KeyedBuckets
    visitors: KeyedBuckets
    visitor_origins: KeyedBuckets

    @classmethod
    def at(
        cls, clock: Clock, *, visitors_per_minute: int, visitors_per_address: int
    ) -> "LoginLimits":
        """Return fresh limits."""
        per_address = visitors_per_address / 60
        return cls(
            pairs=AttemptLimiter(PAIR_ATTEMPTS, LOGIN_WINDOW_S, clock=clock),
            addresses=AttemptLimiter(ADDRESS_ATTEMPTS, LOGIN_WINDOW_S, clock=clock),
            logins=AttemptLimiter(LOGIN_ATTEMPTS, LOGIN_WINDOW_S, clock=clock),
            sessions=KeyedBuckets(SESSIONS_PER_S, SESSIONS_AT_ONCE, clock=clock),
            visitors=KeyedBuckets(visitors_per_minute / 60, visitors_per_minute, clock=clock),
            visitor_origins=KeyedBuckets(per_address, visitors_per_address, clock=clock),
        )

    @contextmanager
    def attempt(self, login: str, origin: str) -> Iterator[Attempt]:
        """Reserve an attempt for the block. Raises `TooMany`."""
        self.addresses.reserve(origin)
        try:
            self.pairs.reserve(_pair(login, origin))
        except BaseException:
            self.addresses.give_back(origin)
            raise
        attempt = Attempt(self, login, origin)
        try:
            yield attempt
        finally:
            attempt.end()


def _pair(login: str, origin: str) -> str:
    return f"{login}\n{origin}"
