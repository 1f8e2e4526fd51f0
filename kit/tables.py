"""Tables that every service with a database has, and the door through which migrations run.

Knows no service: schema and tables are named by whoever asks. A migration makes them so:
`for table in (tables.outbox(m), tables.inbox(m)): table.create(op.get_bind())`.
"""

import asyncio
from collections.abc import Sequence
from importlib import resources
from typing import Final

from alembic import command, context, op
from alembic.config import Config
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    inspect,
    make_url,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateSchema
from sqlalchemy.types import TypeEngine

from kit import row_security, table_locks

LOCK_RETRY_S: Final = 0.2
"""A migration that finds another one at work asks again after this time."""

NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Constraint names, so that migrations can name what they drop."""

_QUEUE: Final = {
    "autovacuum_vacuum_scale_factor": 0,
    "autovacuum_vacuum_threshold": 1000,
    "autovacuum_vacuum_insert_scale_factor": 0,
}
"""A queue's table is nearly empty and always churning: vacuum by rows, not by share."""

_OF_THE_LOG: Final = "offsets of topics, which hold what all shops say"


def metadata(schema: str) -> MetaData:
    """Return the metadata that a service's tables share."""
    return MetaData(schema=schema, naming_convention=NAMES)


def outbox(of: MetaData) -> Table:
    """Return the outbox: events committed with their cause, deleted after the broker's ack."""
    table = Table(
        "outbox",
        of,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("shard", SmallInteger, nullable=False),
        Column("event_id", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("headers", JSONB, nullable=False, comment="[[name, text], ...] in order"),
        Column("body", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        postgresql_with=_QUEUE,
        info=row_security.exempt("the relay sends what all shops did, and reads nothing else"),
    )
    Index(None, table.c.shard, table.c.id)
    return table


def inbox(of: MetaData) -> Table:
    """Return the inbox: which event had its effect through which consumer."""
    table = Table(
        "inbox",
        of,
        Column("consumer", Text, primary_key=True),
        Column("event_id", Text, primary_key=True),
        Column("seen_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        info=row_security.exempt("ids of events, which say nothing of a shop"),
    )
    Index(None, table.c.seen_at)
    return table


def idempotency(of: MetaData) -> Table:
    """Return the idempotency keys: the first answer to each keyed command."""
    table = Table(
        "idempotency",
        of,
        Column("subject", Text, primary_key=True),
        Column("route", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("body_hash", LargeBinary, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        info=row_security.exempt("found by its caller, whose shop is part of the subject"),
    )
    Index(None, table.c.created_at)
    return table


def audit(of: MetaData, *, ids: TypeEngine[str] | None = None) -> Table:
    """Return the audit (X4): who did, or tried, what on which object; a trigger keeps its rows.

    `ids` is the type in which the service stores the ids that it makes: text unless given.
    """
    table = Table(
        "audit",
        of,
        Column("id", ids or Text(), primary_key=True),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("shop_id", Text, nullable=False, comment="the object's shop, whose business it is"),
        Column("actor_id", Text, nullable=False),
        Column("actor_role", Text, nullable=False),
        Column("actor_shop_id", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("object_id", Text, nullable=False),
        Column("note", Text, nullable=False, server_default=""),
    )
    Index(None, table.c.shop_id, table.c.id)
    for column in (table.c.actor_id, table.c.object_id, table.c.action):
        Index(None, table.c.shop_id, column, table.c.id)
    return table


def timers(of: MetaData) -> Table:
    """Return the timers: what falls due, deleted by the transaction that fires it (B53).

    `fire_at` is `due_at`, or later for one that could not be fired.
    """
    table = Table(
        "timers",
        of,
        Column("kind", Text, primary_key=True),
        Column("subject_id", Text, primary_key=True),
        Column("shop_id", Text, nullable=False),
        Column("due_at", DateTime(timezone=True), nullable=False),
        Column("fire_at", DateTime(timezone=True), nullable=False),
        Column("failures", SmallInteger, nullable=False, server_default="0"),
        postgresql_with=_QUEUE,
    )
    Index(None, table.c.kind, table.c.fire_at, table.c.subject_id)
    return table


def positions(of: MetaData) -> Table:
    """Return the fenced positions (H19): the next offset to fold, kept beside what was folded."""
    return Table(
        "positions",
        of,
        Column("consumer", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
        info=row_security.exempt(_OF_THE_LOG),
    )


def marks(of: MetaData) -> Table:
    """Return the marks (H10): below this offset everything is stored or set aside."""
    return Table(
        "marks",
        of,
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
        info=row_security.exempt(_OF_THE_LOG),
    )


def generations(of: MetaData) -> Table:
    """Return the generations (H4): which topic id the stored offsets belong to."""
    return Table(
        "generations",
        of,
        Column("topic", Text, primary_key=True),
        Column("generation", Integer, primary_key=True),
        Column("topic_id", Text, nullable=False),
        Column("begun_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        info=row_security.exempt(_OF_THE_LOG),
    )


async def upgrade(
    dsn: str,
    service: str,
    *,
    role: str | None = None,
    revision: str = "head",
    package: str = "services",
) -> None:
    """Bring the service's schema up to `revision`, a transaction each; a no-op when it is there.

    At the head every table of a shop has its policy, too. Connect as the schema's owner, or as
    somebody who may act as it and name it as `role`; never through a transaction pooler: a lock of
    the session keeps concurrent calls apart. Migrations are in `<package>/<service>/migrations`;
    its `env.py` is one call of `run_migrations`. Raises `kit.table_locks.TablesInUse`; what was
    done by then stays, and the next call goes on from there.
    """
    config = Config()
    folder = resources.files(f"{package}.{service}") / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    acting = {} if role is None else {"role": role}
    engine = create_async_engine(
        make_url(dsn).set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        connect_args={"timeout": 10.0, "server_settings": {"search_path": service} | acting},
    )
    try:
        async with engine.connect() as connection:
            await _alone(connection, f"migrate {service}")
            await connection.run_sync(_ensure_schema, service)
            await connection.commit()

            async def migrated() -> None:
                await connection.run_sync(_run_alembic, config, revision)
                await connection.commit()

            await table_locks.asked_again(connection, migrated, schema=service)
            if revision == "head":
                await row_security.ensure(connection, config.attributes["metadata"])
    finally:
        await engine.dispose()


def index(
    name: str, table: str, columns: str, *, where: str = "", instead_of: Sequence[str] = ()
) -> None:
    """In a migration: create an index while others write, then drop those that it replaces.

    `table` is named with its schema. A plain CREATE INDEX holds back every writer of the table
    until it has read all of it: minutes, for the orders of years. Built concurrently it runs
    outside any transaction, so a migration does this and nothing else. What a broken attempt left
    behind is not valid, and is made anew. It waits for whoever reads the table since before, for as
    long as that takes: nobody waits behind it.
    """
    schema, _, _ = table.partition(".")
    filtered = f" WHERE {where}" if where else ""
    with op.get_context().autocommit_block():
        op.execute(table_locks.FOR_LONG)
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema}.{name}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {table} ({columns}){filtered}")
        for old in instead_of:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema}.{old}")
        op.execute(table_locks.BRIEFLY)


def run_migrations(target: MetaData) -> None:
    """Run the migrations that `upgrade` asked for: the whole content of a service's `env.py`."""
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("Migrations run through kit.tables.upgrade: use `peakdesk migrate`.")
    context.config.attributes["metadata"] = target
    context.configure(
        connection=connection,
        target_metadata=target,
        version_table_schema=target.schema,
        include_schemas=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _ensure_schema(connection: Connection, schema: str) -> None:
    if not inspect(connection).has_schema(schema):
        connection.execute(CreateSchema(schema))


def _run_alembic(connection: Connection, config: Config, revision: str) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def _alone(connection: AsyncConnection, name: str) -> None:
    """Return when this session has the lock of that name; it ends with the connection.

    Asked again and again: a statement that waits in the server would hold a snapshot, and an index
    that another call builds concurrently waits for everybody who holds one.
    """
    take = text("select pg_try_advisory_lock(hashtextextended(:name, 0))")
    while True:
        taken = (await connection.execute(take, {"name": name})).scalar_one()
        await connection.commit()
        if taken:
            return
        await asyncio.sleep(LOCK_RETRY_S)
