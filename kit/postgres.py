"""PostgreSQL sessions: one visible block per transaction, and connection trouble under one name.

Knows no table. The role's schema is the search path, so shared tables are named without a schema.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Final, TypeAlias

import asyncpg
from sqlalchemy import exc as sa
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from kit.errors import AppError, NotFound, Unavailable, Unprocessable
from kit.idempotency import CommandKey
from kit.keyed import Command, carried_out
from kit.row_security import EVERY_SHOP, SETTING

DirectConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
"""A connection of our own, outside the pool and outside SQLAlchemy."""

CONNECT_TIMEOUT_S: Final = 5.0
POOL_TIMEOUT_S: Final = 5.0
"""Wait for a free connection; then the caller gets `DatabaseAway`, not a queue that grows."""

IDLE_IN_TRANSACTION_MS: Final = 30_000
"""The server ends a transaction whose owner went silent, so that it cannot hold locks for ever."""

_AWAY: Final = ("08", "57P", "53")
"""SQLSTATE prefixes: connection trouble, shutdown or start, out of resources."""

_BUSY: Final = frozenset({"40001", "40P01", "55P03", "57014"})
"""Serialization failure, deadlock, lock timeout, statement timeout: nothing was changed."""

_BAD_DATA: Final = "22"
"""SQLSTATE class of data exceptions: out of range, NUL in text, malformed values."""

_NOT_ALLOWED: Final = "42501"
"""SQLSTATE of a missing right, and of a row that a policy hides."""

_HIDDEN: Final = "(USING"
"""Only so the server tells an upsert onto a row that is not seen from the rest of these; a server
that speaks another language keeps the keyword."""

_ABOUT: Final = text(f"select set_config('{SETTING}', :shop, true)")
"""Whose rows the transaction is about, until it ends."""

_ABOVE: Final = text(
    """
    select r.rolsuper or r.rolbypassrls or exists (
        select from pg_class c where c.relnamespace = to_regnamespace(:schema)
        and c.relkind = 'r' and pg_has_role(c.relowner, 'usage')
    ) from pg_roles r where r.rolname = current_user
    """
)
"""Whether policies are not asked: PostgreSQL asks none for a table's owner."""

_KEEPALIVES: Final = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "2",
}


class DatabaseAway(Unavailable):
    """PostgreSQL does not answer. After a failed commit the outcome is unknown: repeat by key."""

    slug, title = "database_away", "The database does not answer"
    retry_after_s = 2


class DatabaseBusy(Unavailable):
    """PostgreSQL gave up on a lock or on time; nothing was changed."""

    slug, title = "database_busy", "The database is busy"


class Unsecured(Unavailable):
    """Policies do not hold this role back: it owns its tables, or is above all policies."""

    slug, title = "row_security_bypassed", "The database shows this service every row"


class BadData(Unprocessable):
    """PostgreSQL refuses a value for what it is; a consumer sets the record aside."""

    slug, title = "bad_data", "A value cannot be stored"


class Database:
    """The sessions of one service: its role, its schema, its pool.

    `pool_size` connections are kept, none above it. `statement_timeout_ms` bounds every statement.
    """

    def __init__(
        self,
        dsn: str,
        *,
        schema: str,
        pool_size: int = 8,
        statement_timeout_ms: int = 5000,
        name: str = "peakdesk",
    ) -> None:
        url = make_url(dsn).set(drivername="postgresql+asyncpg")
        self.schema = schema
        self._direct_dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._server_settings = {
            "application_name": name,
            "search_path": schema,
            "timezone": "UTC",
            SETTING: "",  # whatever forgets to say it, on any connection, sees no shop
            "statement_timeout": str(statement_timeout_ms),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
        }
        self._engine = create_async_engine(
            url,
            hide_parameters=True,  # an error text that is logged must not hold what was stored
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            connect_args={
                "timeout": CONNECT_TIMEOUT_S,
                "server_settings": self._server_settings,
            },
        )
        snapshot = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._writing = async_sessionmaker(self._engine, expire_on_commit=False)
        self._reading = async_sessionmaker(snapshot, expire_on_commit=False)

    def write(self, shop: str) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction on one shop's rows; it commits at the end of the block.

        No other row is seen or written (`kit.row_security`). An exception rolls it back. Raises
        `DatabaseAway`, `DatabaseBusy`, `BadData`, and `NotFound` for an upsert onto another shop's
        row and for a name that stands for all shops: clients choose what they call theirs.
        """
        return self._block(self._writing, _one(shop))

    def read(self, shop: str) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a read-only snapshot of one shop: every statement in it sees the same moment.

        Raises `DatabaseAway`, `DatabaseBusy`.
        """
        return self._block(self._reading, _one(shop))

    @asynccontextmanager
    async def keyed(self, key: CommandKey, *, shop: str | None = None) -> AsyncIterator[Command]:
        """Open the one transaction of a keyed command: its effect and its answer commit together.

        It is about the rows of `shop`, by default the caller's own: the platform's people act on
        others'. Leaving the block without `Command.keep` raises. Raises `Replayed`, `InFlight`,
        `KeyReused`, and what `write` does.
        """
        about = key.shop_id if shop is None else shop
        async with self.write(about) as session, carried_out(session, key) as command:
            yield command

    def write_across(self, reason: str) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction on the rows of all shops, for what belongs to none of them.

        `reason` is for whoever reads the call; docs/second-wall.md lists them all. Raises as
        `write` does.
        """
        del reason
        return self._block(self._writing, EVERY_SHOP)

    def read_across(self, reason: str) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a read-only snapshot of all shops. Raises as `read` does."""
        del reason
        return self._block(self._reading, EVERY_SHOP)

    async def ping(self) -> None:
        """Return if the database answers within five seconds. Raises `DatabaseAway`."""
        with renamed(), _connecting():
            async with asyncio.timeout(CONNECT_TIMEOUT_S), self._engine.connect() as connection:
                await connection.execute(text("select 1"))

    async def require_policies(self) -> None:
        """Return if policies hold this role back. Raises `Unsecured`, `DatabaseAway`."""
        with renamed(), _connecting():
            async with self._engine.connect() as connection:
                found = await connection.execute(_ABOVE, {"schema": self.schema})
                if found.scalar_one():
                    raise Unsecured

    async def direct(self) -> DirectConnection:
        """Return a connection outside the pool, for session locks and LISTEN; the caller closes it.

        Dead peers are noticed by the server within some 15 s, which frees their locks.
        Never point this through a transaction pooler (H7). Raises `DatabaseAway`.
        """
        with renamed(), _connecting():
            connection: DirectConnection = await asyncpg.connect(
                self._direct_dsn,
                timeout=CONNECT_TIMEOUT_S,
                command_timeout=2 * CONNECT_TIMEOUT_S,
                server_settings=self._server_settings | _KEEPALIVES,
            )
        return connection

    async def close(self) -> None:
        """Close the pool."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _block(
        self, sessions: async_sessionmaker[AsyncSession], shop: str
    ) -> AsyncIterator[AsyncSession]:
        with renamed():
            async with sessions.begin() as session:
                with _connecting():
                    # Through the session: on the driver's own connection it would run before BEGIN.
                    await session.execute(_ABOUT, {"shop": shop})
                yield session


def _one(shop: str) -> str:
    if shop == EVERY_SHOP:
        raise NotFound
    return shop


@contextmanager
def _connecting() -> Iterator[None]:
    """Name what goes wrong before a connection stands: asyncpg lets these through unwrapped."""
    try:
        yield
    except (OSError, TimeoutError) as error:
        raise DatabaseAway from error


@contextmanager
def renamed() -> Iterator[None]:
    """Name what a connection raises: `DatabaseAway`, `DatabaseBusy`, `BadData`, `NotFound`."""
    try:
        yield
    except sa.TimeoutError as error:
        raise DatabaseBusy("All database connections are in use.") from error
    except sa.DBAPIError as error:
        named = _name(error.orig, closed=error.connection_invalidated)
        if named is None:
            raise
        raise named from error
    except asyncpg.InternalClientError as error:
        # A statement met a connection that was just being lost: asyncpg is out of step with it.
        raise DatabaseAway from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError) as error:
        named = _name(error, closed=isinstance(error, ConnectionError))
        if named is None:
            raise
        raise named from error


def _name(error: BaseException | None, *, closed: bool) -> AppError | None:
    cause = error.__cause__ if error is not None and error.__cause__ is not None else error
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith(_AWAY):
        return DatabaseAway()
    if state in _BUSY:
        return DatabaseBusy()
    if state.startswith(_BAD_DATA) or isinstance(cause, asyncpg.DataError):
        return BadData()
    if state == _NOT_ALLOWED and _HIDDEN in str(cause):
        return NotFound()
    if closed or (isinstance(cause, asyncpg.InterfaceError) and "closed" in str(cause)):
        return DatabaseAway()
    return None
