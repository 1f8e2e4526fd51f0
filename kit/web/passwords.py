"""Passwords: Argon2id off the event loop, with the same cost whether or not the account exists.

Knows nothing of accounts; how often one may try is `kit.web.limits`.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from argon2 import extract_parameters
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from kit.errors import TooMany, Unavailable, Unprocessable
from kit.web.turns import Turns

LENGTH_LEAST: Final = 8
LENGTH_LIMIT: Final = 256
"""Characters of a password at most; a longer one is never hashed."""

MEMORY_KIB: Final = 65_536
ROUNDS: Final = 3
"""Argon2id's costs: RFC 9106's second choice."""

LEAST_MEMORY_KIB: Final = 19_456
LEAST_ROUNDS: Final = 2
"""Below these a stolen table of hashes is guessed too cheaply (OWASP's least for Argon2id)."""

AT_ONCE: Final = 2
"""Hashes computed side by side: each takes 64 MiB."""

T = TypeVar("T")


class UnfitPassword(Unprocessable):
    """The chosen password is too short or too long."""

    slug = "unfit_password"
    title = f"A password has {LENGTH_LEAST} to {LENGTH_LIMIT} characters"


class Passwords:
    """Hashes and checks passwords, `AT_ONCE` at a time. Make one per process."""

    def __init__(self, *, memory_kib: int = MEMORY_KIB, rounds: int = ROUNDS) -> None:
        """Take Argon2id's costs; tests take less."""
        self._memory_kib, self._rounds = memory_kib, rounds
        self._scheme = PasswordHash((Argon2Hasher(memory_cost=memory_kib, time_cost=rounds),))
        self._nobody = self._scheme.hash("a password that nobody has")
        self.turns = Turns(AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return the hash to store. Raises `UnfitPassword`, `TooMany`, `Unavailable`.

        It may have to wait in the line of those who sign in: hold no lock meanwhile.
        """
        if not LENGTH_LEAST <= len(password) <= LENGTH_LIMIT:
            raise UnfitPassword
        async with self.turns.turn(""):
            return await self._aside(lambda: self._scheme.hash(password))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Tell whether the password fits the hash; call it inside a turn of `turns`.

        `stored` None stands for an unknown account: it takes as long and is never true.
        """
        if len(password) > LENGTH_LIMIT:
            return False
        fits = await self._aside(lambda: self._fits(password, stored or self._nobody))
        return fits and stored is not None

    async def renewed(self, password: str, stored: str) -> str | None:
        """Return what to store instead of a hash of less cost than today's; None to keep it.

        The password fits it. Also None where too many wait for a turn: the next sign-in will do.
        """
        had = extract_parameters(stored)
        if had.memory_cost >= self._memory_kib and had.time_cost >= self._rounds:
            return None
        with suppress(TooMany, Unavailable):
            async with self.turns.turn(""):
                return await self._aside(lambda: self._scheme.hash(password))
        return None

    def _fits(self, password: str, stored: str) -> bool:
        try:
            return self._scheme.verify(password, stored)
        except UnknownHashError:
            return False

    async def _aside(self, work: Callable[[], T]) -> T:
        """Compute in a thread. Whoever is cancelled stays until the thread has ended.

        Else a crowd that comes and leaves at once would keep any number of threads at 64 MiB each.
        """
        doing = asyncio.get_running_loop().run_in_executor(None, work)
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            await asyncio.wait([doing])
            raise
