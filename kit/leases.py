"""Leases: of all processes one holds a name, by a session lock that dies with its connection.

Knows nothing of what is done under the lease. Work that must not outlive it uses its connection.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from kit.errors import Unavailable
from kit.postgres import Database, DatabaseAway, DirectConnection, renamed
from kit.row_security import EVERY_SHOP, SETTING

log = structlog.get_logger()

CLOSE_S: Final = 1.0
"""A connection has so long to say goodbye; then it is cut."""

_BEGIN: Final = f"""
begin isolation level repeatable read, read only;
select set_config('{SETTING}', '{EVERY_SHOP}', true)
"""
"""Sent as one, so that a look is three round trips."""

Opened = Callable[[DirectConnection], Awaitable[None]]


class LeaseLost(Unavailable):
    """The name is not ours on the connection at hand: what was to be done under it is not done."""

    slug, title = "lease_lost", "Another process holds the lease"


class Leases:
    """Any number of names on one direct connection (H7); lost together when it dies."""

    def __init__(self, database: Database, *, opened: Opened | None = None) -> None:
        """Connect when the first name is taken; `opened` is told of each new connection."""
        self._database = database
        self._opened = opened
        self._connection: DirectConnection | None = None
        self._held: set[str] = set()
        self._lock = asyncio.Lock()

    def held(self, name: str) -> bool:
        """Tell whether the name is ours, as far as is known here."""
        connection = self._connection
        return name in self._held and connection is not None and not connection.is_closed()

    async def take(self, name: str) -> bool:
        """Take the name if nobody has it; true also if it was ours. Raises `DatabaseAway`."""
        async with self.using() as connection:
            if name in self._held:
                return True
            taken = await connection.fetchval(
                "select pg_try_advisory_lock(hashtextextended($1, 0))", self._scoped(name)
            )
            if taken:
                self._held.add(name)
                log.info("lease.taken", lease=name)
            return bool(taken)

    async def give_back(self, name: str) -> None:
        """Let another have the name. Raises `DatabaseAway`."""
        if self.held(name):
            async with self.using() as connection:
                self._held.discard(name)
                await connection.execute(
                    "select pg_advisory_unlock(hashtextextended($1, 0))", self._scoped(name)
                )

    async def check(self) -> None:
        """Ask the server for a sign of life; without one every name is lost. Raises."""
        async with self.using() as connection:
            await connection.execute("select 1")

    @asynccontextmanager
    async def using(self, *, under: str | None = None) -> AsyncIterator[DirectConnection]:
        """Use the connection, one at a time; whatever fails on it ends it and every lease.

        Work done here cannot outlive the lease `under` which it is done: both die together, and
        a connection made anew since `take` holds nothing. Raises `DatabaseAway`, `LeaseLost`.
        """
        async with self._lock:
            connection = await self._connected()
            if under is not None and under not in self._held:
                raise LeaseLost(f"The lease {under} went with the connection that held it.")
            try:
                with renamed():
                    yield connection
            except TimeoutError as error:
                # No answer within the connection's own limit: frozen, or lost without a word.
                self._drop()
                raise DatabaseAway from error
            except BaseException:
                # Cancelled in the middle of a query, or broken: never use it again.
                self._drop()
                raise

    @asynccontextmanager
    async def read_across(self, reason: str) -> AsyncIterator[DirectConnection]:
        """Read the rows of all shops in one snapshot; a sign of life of the leases, too.

        For looks that are made again and again: here, without SQLAlchemy, one costs a fifth.
        `reason` is for whoever reads the call (`Database.read_across`). Raises `DatabaseAway`.
        """
        del reason
        async with self.using() as connection:
            await connection.execute(_BEGIN)
            yield connection
            await connection.execute("commit")

    async def close(self) -> None:
        """Give everything back by closing the connection."""
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=CLOSE_S)
            except (OSError, TimeoutError):
                connection.terminate()

    async def _connected(self) -> DirectConnection:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        if self._held:
            log.warning("lease.lost", leases=sorted(self._held))
        self._held.clear()
        connection = await self._database.direct()
        try:
            if self._opened is not None:
                with renamed():
                    await self._opened(connection)
        except BaseException:
            connection.terminate()  # lost again before anybody knew it, or the caller is leaving
            raise
        self._connection = connection
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            connection.terminate()

    def _scoped(self, name: str) -> str:
        return f"{self._database.schema}/{name}"
