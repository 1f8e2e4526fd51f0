"""Who changes a table waits for everybody who uses it, and everybody else waits behind him.

So he gives up after a moment, lets the others through and asks again, not for ever. Knows no table.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncConnection

WAIT_MS: Final = 500
"""Longest wait for a lock, which a dump keeps for hours: so long the others are held up."""

PAUSES_S: Final = (0.2, 0.5, 1.0, *(2.0,) * 18)
"""Between two tries, while the others are served. The try behind the last one gives up: after 49 s
in all, which outlasts whatever our own services leave open."""

BRIEFLY: Final = f"SET lock_timeout = {WAIT_MS}"
FOR_LONG: Final = "SET lock_timeout = 0"
"""For what holds nobody up while it waits."""

_TIMED_OUT: Final = "55P03"

_USERS: Final = text(
    """
    select distinct a.pid, coalesce(nullif(a.application_name, ''), a.usename, '?') as name
    from pg_locks l
    join pg_class c on c.oid = l.relation and c.relkind in ('r', 'p')
    join pg_stat_activity a on a.pid = l.pid
    where l.granted and c.relnamespace = to_regnamespace(:schema)
      and a.datname = current_database() and a.pid <> pg_backend_pid()
    """
)


class TablesInUse(Exception):
    """Somebody kept a table that is to be changed; the text says who was there at every try."""


async def asked_again(
    connection: AsyncConnection, change: Callable[[], Awaitable[None]], *, schema: str
) -> None:
    """Carry out a change of the schema's tables, which can be repeated after its roll-back.

    To be called outside a transaction. Raises `TablesInUse`, and whatever else the change does.
    """
    await connection.exec_driver_sql(BRIEFLY)
    await connection.commit()
    in_the_way: dict[int, str] | None = None
    for pause_s in (*PAUSES_S, None):
        try:
            await change()
        except exc.DBAPIError as error:
            await connection.rollback()
            if getattr(error.orig, "sqlstate", None) != _TIMED_OUT:
                raise
            users = await _users(connection, schema)
            in_the_way = users if in_the_way is None else _in_both(in_the_way, users)
            if pause_s is None:
                raise TablesInUse(_sentence(schema, in_the_way)) from error
            await asyncio.sleep(pause_s)
        else:
            return


async def _users(connection: AsyncConnection, schema: str) -> dict[int, str]:
    """Return who uses tables of the schema at this moment: server process and name."""
    found = await connection.execute(_USERS, {"schema": schema})
    users = {row.pid: row.name for row in found}
    await connection.commit()
    return users


def _in_both(first: dict[int, str], second: dict[int, str]) -> dict[int, str]:
    """Return who is there still: whoever came and went was in nobody's way for long."""
    return {pid: name for pid, name in first.items() if pid in second}


def _sentence(schema: str, users: dict[int, str]) -> str:
    names = ", ".join(f"{name} (server process {pid})" for pid, name in sorted(users.items()))
    return f"a table of {schema} stayed in use" + (f" by {names}" if names else "")
