"""A shop's turn at routing: whoever changes who owns what in a shop waits for it.

Knows no table. Who waits behind others of this process holds no connection meanwhile; who waits for
another process must, so these are few, and neither waits for long (H39).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from kit.errors import Unavailable
from kit.idempotency import CommandKey
from kit.keyed import Command
from kit.postgres import Database

WAIT_S: Final = 2.0
"""A turn that did not come within this time is answered 503 with Retry-After."""

LINE_LIMIT: Final = 256
"""So many wait for one shop's turn in this process; one more is answered 503 at once."""

_TRY: Final = text("select pg_try_advisory_xact_lock(hashtextextended('routing ' || :shop, 0))")
_LOCK_WITHIN: Final = text(
    "select set_config('lock_timeout', :ms, true),"
    " pg_advisory_xact_lock(hashtextextended('routing ' || :shop, 0)),"
    " set_config('lock_timeout', '0', true)"
)
"""The limit is this lock's alone: row locks after it wait as ever."""

_TIMED_OUT: Final = "55P03"


T = TypeVar("T")


class ShopBusy(Unavailable):
    """Too much is being routed in the shop at this moment; nothing was changed."""

    slug, title = "shop_busy", "The shop is busy: try again in a moment"
    retry_after_s = 2


class Turns:
    """Lets one transaction of a shop route at a time, in this process and beside the others.

    An agent's load spans skill groups, so the turn is the shop's and not the group's. Taken before
    any row, and one at a time: routing transactions cannot deadlock.
    `waiting_most` connections at most wait for turns that other processes have.
    """

    def __init__(self, db: Database, *, waiting_most: int, wait_s: float = WAIT_S) -> None:
        self._db = db
        self._wait_s = wait_s
        self._waiting = asyncio.Semaphore(max(waiting_most, 1))
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def write(self, shop: str) -> AsyncIterator[AsyncSession]:
        """Open a transaction with the shop's turn. Raises `ShopBusy`, and as `Database.write`."""
        async with self.after(shop, _nothing) as (session, _):
            yield session

    @asynccontextmanager
    async def after(
        self, shop: str, ready: Callable[[AsyncSession], Awaitable[T]]
    ) -> AsyncIterator[tuple[AsyncSession, T]]:
        """Open a transaction that reads what needs no turn before it takes the shop's.

        `ready` locks no row; it may be called once more, in a transaction begun anew. Raises as
        `write` does.
        """
        async with self._line(shop) as until:
            try:
                async with self._db.write(shop) as session:
                    known = await ready(session)
                    await self._take(session, shop, until)
                    yield session, known
                    return
            except _Crowded:
                pass  # the connection goes back; it comes again with a place to wait
            async with self._place(until) as place, self._db.write(shop) as session:
                known = await ready(session)
                await place.wait(session, shop)
                yield session, known

    @asynccontextmanager
    async def keyed(self, key: CommandKey) -> AsyncIterator[Command]:
        """Open a keyed command with its shop's turn. Raises `ShopBusy`, and as `Database.keyed`."""
        async with self._line(key.shop_id) as until:
            try:
                async with self._db.keyed(key) as command:
                    await self._take(command.session, key.shop_id, until)
                    yield command
                    return
            except _Crowded:
                pass  # likewise
            async with self._place(until) as place, self._db.keyed(key) as command:
                await place.wait(command.session, key.shop_id)
                yield command

    @asynccontextmanager
    async def _line(self, shop: str) -> AsyncIterator[float]:
        """Wait behind those of this process; yields until when to wait for other processes."""
        line = self._lines.setdefault(shop, _Line())
        if line.people > LINE_LIMIT:
            raise ShopBusy
        until = asyncio.get_running_loop().time() + self._wait_s
        line.people += 1
        try:
            await _within(until, line.turn.acquire())
            try:
                yield until
            finally:
                line.turn.release()
        finally:
            line.people -= 1
            if not line.people:
                del self._lines[shop]

    async def _take(self, session: AsyncSession, shop: str, until: float) -> None:
        """Have the turn, on this connection. Raises `_Crowded`, `ShopBusy`."""
        if (await session.execute(_TRY, {"shop": shop})).scalar_one():
            return
        if self._waiting.locked():
            raise _Crowded
        async with self._place(until) as place:
            await place.wait(session, shop)

    @asynccontextmanager
    async def _place(self, until: float) -> AsyncIterator["_Place"]:
        """Wait for one of the connections that may wait."""
        await _within(until, self._waiting.acquire())
        place = _Place(self._waiting, until)
        try:
            yield place
        finally:
            place.leave()


class _Crowded(Exception):
    """Another process has the shop's turn, and as many connections as may wait for turns do."""


class _Line:
    """Who waits for a shop's turn in this process, first come first served."""

    __slots__ = ("people", "turn")

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.people = 0


class _Place:
    """The right to wait for a turn on a connection, given up as soon as the turn has come."""

    __slots__ = ("_held", "_until", "_waiting")

    def __init__(self, waiting: asyncio.Semaphore, until: float) -> None:
        self._waiting = waiting
        self._until = until
        self._held = True

    async def wait(self, session: AsyncSession, shop: str) -> None:
        """Make this transaction the only one of all processes that routes in the shop."""
        left_s = self._until - asyncio.get_running_loop().time()
        asked = {"shop": shop, "ms": str(max(int(left_s * 1000), 1))}
        try:
            await session.execute(_LOCK_WITHIN, asked)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _TIMED_OUT:
                raise ShopBusy from error
            raise
        self.leave()

    def leave(self) -> None:
        """Let somebody else wait."""
        if self._held:
            self._held = False
            self._waiting.release()


async def _nothing(_: AsyncSession) -> None:
    """Read nothing before the turn."""


async def _within(until: float, taken: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout_at(until):
            await taken
    except TimeoutError:
        raise ShopBusy from None
