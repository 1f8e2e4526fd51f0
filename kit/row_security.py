"""Row-level security: a transaction sees and writes rows of the shop that it named, and no others.

It guards against a forgotten condition, not against injected SQL: whoever can send SQL can name
any shop. Policies follow the metadata, so a new table cannot be forgotten. Knows no service.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlalchemy import MetaData, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from kit import table_locks

SETTING: Final = "app.shop"
"""Where a transaction says whose rows it is about; PostgreSQL keeps it until the transaction ends.
Unset it equals no shop, and nothing is seen."""

EVERY_SHOP: Final = "*"
"""What stands for all shops there."""

POLICY: Final = "shop"
"""The one policy of a table."""

VERSIONS: Final = "alembic_version"
"""The one table that is in no metadata. It names a revision, and no shop has a part in that."""

_RULE: Final = "row_security"
_SHOP: Final = f"current_setting('{SETTING}', true)"
_ACROSS: Final = f"{_SHOP} = '{EVERY_SHOP}'"

_POLICIES: Final = text(
    """
    select c.relname as name, obj_description(p.oid, 'pg_policy') as condition
    from pg_class c join pg_policy p on p.polrelid = c.oid
    where c.relnamespace = to_regnamespace(:schema) and c.relrowsecurity and p.polname = :policy
    """
)


class Undecided(Exception):
    """A table does not say whose rows it holds."""

    def __init__(self, table: Table) -> None:
        super().__init__(
            f"{table.fullname} has neither shop_id nor a foreign key to a table that has: "
            "say `of`, `through` or `exempt` in its info"
        )


@dataclass(frozen=True, slots=True)
class Of:
    """A row belongs to the shop in this column."""

    column: str


@dataclass(frozen=True, slots=True)
class Through:
    """A row belongs to the shop that sees the one row of `parent` whose `key` `column` names."""

    column: str
    parent: str
    key: str


@dataclass(frozen=True, slots=True)
class Exempt:
    """Rows are no shop's, or are found before any shop is known."""

    reason: str


Rule: TypeAlias = Of | Through | Exempt


def of(column: str) -> dict[str, object]:
    """Return a table's `info`: its shop stands in a column that is not called shop_id."""
    return {_RULE: Of(column)}


def through(column: str, parent: str) -> dict[str, object]:
    """Return a table's `info`: `column` names a row of `parent`, spelled `schema.table.column`.

    For tables without the foreign key that would say so.
    """
    table, _, key = parent.rpartition(".")
    return {_RULE: Through(column, table, key)}


def exempt(reason: str) -> dict[str, object]:
    """Return a table's `info`: it has no policy, for this reason."""
    return {_RULE: Exempt(reason)}


def rule_of(table: Table) -> Rule:
    """Return whose rows a table holds: what its info says, else shop_id, else a foreign key.

    Raises `Undecided`.
    """
    told = table.info.get(_RULE)
    if isinstance(told, Of | Through | Exempt):
        return told
    if "shop_id" in table.columns:
        return Of("shop_id")
    for column in table.columns:
        for key in column.foreign_keys:
            parent = key.column.table
            if parent is not table and not isinstance(rule_of(parent), Exempt):
                return Through(column.name, parent.fullname, key.column.name)
    raise Undecided(table)


def condition(table: Table) -> str | None:
    """Return as SQL when a row may be seen and written; None for a table without a policy."""
    match rule_of(table):
        case Exempt():
            return None
        case Of(column):
            # As `or` it would count as a second condition on the shop, and a shop's rows be thought
            # so few that a list sorts them all instead of following an index.
            return f"case when {_ACROSS} then true else {column} = {_SHOP} end"
        case Through(column, parent, key):
            # The parent's own policy says which of its rows there are. Of `exists` the planner may
            # make a hash of the whole parent, for a page of a hundred rows.
            own = f"{table.name}.{column}"
            return f"{_ACROSS} or (select true from {parent} p where p.{key} = {own})"


def exemptions(metadata: MetaData) -> Mapping[str, str]:
    """Return the tables without a policy, each with its reason."""
    rules = {table.name: rule_of(table) for table in metadata.sorted_tables}
    return {name: rule.reason for name, rule in rules.items() if isinstance(rule, Exempt)}


async def ensure(connection: AsyncConnection, metadata: MetaData) -> None:
    """Give each table of a shop its policy, where it has none or an older one.

    To be called as the tables' owner, outside a transaction: each table gets one of its own. The
    owner itself sees every row, and so does a release that still runs as the owner. Raises
    `kit.table_locks.TablesInUse`.
    """
    found = await connection.execute(_POLICIES, {"schema": metadata.schema, "policy": POLICY})
    known = {row.name: row.condition for row in found}
    await connection.commit()
    for table in metadata.sorted_tables:
        wanted = condition(table)
        if wanted is not None and known.get(table.name) != wanted:
            await _secure(connection, table, wanted)


async def _secure(connection: AsyncConnection, table: Table, wanted: str) -> None:
    async def secured() -> None:
        async with connection.begin():
            for statement in _statements(table, wanted):
                await connection.exec_driver_sql(statement)

    await table_locks.asked_again(connection, secured, schema=table.schema or "public")


def _statements(table: Table, wanted: str) -> Iterator[str]:
    """Yield what makes the policy; its comment says what it was made of, for the next time."""
    told = wanted.replace("'", "''")
    yield f"drop policy if exists {POLICY} on {table.fullname}"
    yield f"create policy {POLICY} on {table.fullname} using ({wanted})"
    yield f"comment on policy {POLICY} on {table.fullname} is '{told}'"
    yield f"alter table {table.fullname} enable row level security"
