"""A database of its own, filled to a size: the rows of the plan tests, and a mass around them.

As the superuser, for a load that no service does: COPY into tables whose keys, indexes and foreign
keys are away meanwhile and are made again from the catalog's own words. The rows of the plan tests
come first, so that every list of theirs has its answer here.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import asyncpg

from tests.faults.volume.masses import MASSES, SHOPS, Mass
from tests.infrastructure import (
    ADMIN_TIMEOUT_S,
    Infrastructure,
    TestDatabase,
    create_database,
    drop_database,
)
from tests.integration.aftersales import test_aftersales_plans as aftersales
from tests.integration.conversation import filling as conversation
from tests.integration.monitor import test_monitor_plans as monitor
from tests.integration.orders import test_orders_plans as orders
from tests.plans import AUDIT_FILL

Say: TypeAlias = Callable[[str], None]
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_BOARD: Final = """
insert into counters select p, 'plans', 'taobao_2022', '2026-11-11', 'agent-' || a * 10, 12, 240000,
    1, 11, 0, 4, 4, 48000, 3 from generate_series(0, 47) p, generate_series(1, 100) a
"""
"""What a day of a hundred agents leaves for their shop's board, in both databases."""

_SHOPS: Final = f"""
insert into shops (id, name, time_zone)
select 'shop-' || n, '', 'Asia/Shanghai' from generate_series(0, {SHOPS}) n
"""

_GROUP: Final = """
insert into skill_groups (id, shop_id, code, name)
values ('00000000-0000-7000-8004-000000000001', 'plans', 'in_sale', '') on conflict do nothing
"""
"""The group whose buyers wait; its agents are generalists."""

ROWS: Final = {
    "conversation": (*conversation.FILLS, _SHOPS, _GROUP, AUDIT_FILL),
    "orders": (orders.FILL, AUDIT_FILL),
    "aftersales": (*aftersales.FILLS, AUDIT_FILL),
    "monitor": (*monitor.FILLS, _BOARD),
}
"""By service what both databases hold."""

_SETTINGS: Final = (
    "set synchronous_commit = off",
    "set maintenance_work_mem = '512MB'",
    "set statement_timeout = '20min'",
)

_NO_TRIGGERS: Final = "set session_replication_role = replica"
"""The mass is as this release writes it: no trigger of the one before has anything to add."""

_KEYS: Final = """
select conrelid::regclass::text as of, quote_ident(conname) as name, contype = 'f' as is_foreign,
    pg_get_constraintdef(oid) as words
from pg_constraint
where contype in ('p', 'u', 'f') and (conrelid = any($1::text[]::regclass[])
    or confrelid = any($1::text[]::regclass[]))
order by contype = 'f', conrelid
"""

_INDEXES: Final = """
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as words from pg_index
where indrelid = any($1::text[]::regclass[])
    and not exists (select from pg_constraint where conindid = indexrelid and contype <> 'f')
order by indrelid
"""


@dataclass(frozen=True)
class Filled:
    """A filled database; `administrator` is its superuser's address, for asyncpg."""

    base: TestDatabase
    administrator: str
    conversations: int
    seconds: dict[str, float] = field(default_factory=dict)
    """What each step of the filling took."""


@asynccontextmanager
async def filled(infra: Infrastructure, conversations: int, *, say: Say) -> AsyncIterator[Filled]:
    """Yield a database that holds so many conversations and what belongs to them; drop it after."""
    base = await create_database(infra)
    administrator = f"{infra.admin_dsn.rsplit('/', 1)[0]}/{base.name}"
    try:
        made = Filled(base, administrator, conversations)
        await _fill(made, say)
        yield made
    finally:
        await drop_database(infra, base.name)
        say(f"dropped the database of {conversations} conversations")


@asynccontextmanager
async def administering(administrator: str) -> AsyncIterator[Connection]:
    """Log in as the superuser."""
    connection: Connection = await asyncpg.connect(administrator, timeout=ADMIN_TIMEOUT_S)
    try:
        yield connection
    finally:
        await connection.close(timeout=ADMIN_TIMEOUT_S)


async def _fill(made: Filled, say: Say) -> None:
    watch = _Watch(made, say)
    for service in ROWS:
        await made.base.migrate(service)
    watch.done("migrated")
    async with administering(made.administrator) as connection:
        for setting in _SETTINGS:
            await connection.execute(setting)
        for service, statements in ROWS.items():
            await connection.execute(f"set search_path = {service}")
            for statement in statements:
                await connection.execute(statement)
        await connection.execute("set search_path = pg_catalog")
        await connection.execute(_NO_TRIGGERS)
        again = await _take_away(connection, [mass.table for mass in MASSES])
        for mass in MASSES:
            await _copy(connection, mass, made.conversations)
            watch.done(f"{mass.table}: {mass.rows(made.conversations)} rows")
        for words in again:
            await connection.execute(words)
            watch.done(words.partition(" USING ")[0][:90])
        # Not left to the autovacuum, which would come while something is measured.
        await connection.execute("vacuum (analyze)")
        await connection.execute("checkpoint")
        watch.done("vacuumed and analyzed")


async def _take_away(connection: Connection, tables: list[str]) -> list[str]:
    """Drop keys and indexes of these tables; return what makes them again, in order."""
    keys = await connection.fetch(_KEYS, tables)
    indexes = await connection.fetch(_INDEXES, tables)
    for key in reversed(keys):
        await connection.execute(f"alter table {key['of']} drop constraint {key['name']}")
    for index in indexes:
        await connection.execute(f"drop index {index['name']}")
    own = [key for key in keys if not key["is_foreign"]]
    foreign = [key for key in keys if key["is_foreign"]]
    return [*_adding(own), *(str(index["words"]) for index in indexes), *_adding(foreign)]


def _adding(keys: Iterable[asyncpg.Record]) -> Iterator[str]:
    for key in keys:
        yield f"alter table {key['of']} add constraint {key['name']} {key['words']}"


async def _copy(connection: Connection, mass: Mass, conversations: int) -> None:
    async def lines() -> AsyncIterator[bytes]:
        for some in mass.lines(conversations):
            yield some

    schema, _, table = mass.table.partition(".")
    await connection.copy_to_table(
        table, schema_name=schema, columns=mass.columns.split(), source=lines(), format="text"
    )


class _Watch:
    """Says what each step took."""

    def __init__(self, made: Filled, say: Say) -> None:
        self._made, self._say, self._since = made, say, time.perf_counter()

    def done(self, step: str) -> None:
        """Note that a step has ended."""
        now = time.perf_counter()
        self._made.seconds[step] = round(now - self._since, 3)
        if now - self._since > 1 or ": " in step:
            self._say(
                f"{self._made.conversations} conversations, {step} ({now - self._since:.1f} s)"
            )
        self._since = now
