"""Plans of a service's own statements: caught as they run, explained by the server that ran them.

On 1,000 rows every plan is cheap, so the planner is told to avoid what a large table would make
dear, once with sorts and once without. What it still sorts or filters, no index spares it.
"""

import inspect
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any, TypeAlias

from fastapi import FastAPI
from sqlalchemy import Table, event, text
from sqlalchemy.ext.asyncio import AsyncSession

from kit import audit
from kit.audit import AuditFilter
from kit.postgres import Database
from kit.row_security import EVERY_SHOP
from tests.infrastructure import Infrastructure, create_database, drop_database

Sent: TypeAlias = tuple[str, Any]
"""A statement and its parameters, as the driver gets them."""

_AVOIDED = (
    "set local enable_seqscan = off",
    "set local enable_bitmapscan = off",
    "set local random_page_cost = 1",  # all pages are in memory here
)

_SHOP = r"current_setting\('app\.shop'::text, true\)"
_POLICY = re.compile(
    rf"CASE WHEN \({_SHOP} = '\*'::text\) THEN true ELSE \([\w.]+ = {_SHOP}\) END"
    rf"|\(\({_SHOP} = '\*'::text\) OR \(SubPlan \d+\)\)"
)
"""What row-level security asks of each row that an index found."""

SHOP = "plans"
"""Whose rows the plans are about."""


@dataclass(frozen=True)
class Read:
    """One way in which a function of the repository is called.

    `serves` names the list routes behind it. `filters` and `sorts` give the reason why some of
    that may be left over: how few rows it then is about.
    """

    title: str
    run: Callable[[AsyncSession], Awaitable[object]]
    serves: tuple[str, ...] = ()
    filters: str = ""
    sorts: str = ""

    @property
    def function(self) -> object:
        """The function that is called."""
        assert isinstance(self.run, partial)
        return self.run.func


@dataclass
class Plan:
    """What a plan leaves to be done beside looking into indexes."""

    filters: list[str] = field(default_factory=list)
    sorts: list[str] = field(default_factory=list)
    scans: list[str] = field(default_factory=list)

    def left_over(self) -> int:
        """Return how much of it is left."""
        return len(self.filters) + len(self.sorts) + len(self.scans)


@asynccontextmanager
async def filled(infra: Infrastructure, service: str, *fills: str) -> AsyncIterator[Database]:
    """Yield a database that holds these rows and no others, so that plans do not depend on tests.

    Rows of staff who are at work would also be met by a service that another test runs.
    """
    made = await create_database(infra)
    await made.migrate(service)
    database = Database(made.dsn(service), schema=service)
    try:
        async with database.write_across("a test") as session:
            for fill in fills:
                await session.execute(text(fill))
        await made.alter(service, "analyze")  # a run role may not, and is told so quietly
        yield database
    finally:
        await database.close()
        await drop_database(infra, made.name)


async def plan_of(database: Database, read: Read, *, shop: str, sorting: bool) -> Plan:
    """Run it under a shop's policy, or under that of all; undo it; explain what it sent."""
    plan = Plan()
    across = shop == EVERY_SHOP
    opened = database.write_across("a test") if across else database.write(shop)
    async with opened as session:
        for setting in (*_AVOIDED, f"set local enable_sort = {sorting}"):
            await session.execute(text(setting))
        nodes = await explained(session, read)
        await session.rollback()
    for node in nodes:
        _note(plan, node)
    return plan


async def explained(
    session: AsyncSession, read: Read, *, options: str = "format json"
) -> list[dict[str, Any]]:
    """Run it and return the nodes of the plans of all statements that it sent, outermost first."""
    connection = await session.connection()
    with caught(connection.sync_connection) as sent:
        await read.run(session)
    assert sent, f"{read.title} sent no statement"
    return await explain(session, sent, options=options)


async def directly(
    session: AsyncSession, *, ask: Callable[..., Awaitable[object]], **how: object
) -> object:
    """Ask what is asked on a direct connection."""
    return await ask(Direct(session), **how)


class Direct:
    """A session that is asked as a direct connection is, with `$1` and so on."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def fetch(self, statement: str, *values: object) -> Sequence[Any]:
        """Return the rows."""
        named = text(re.sub(r"\$(\d+)(?!\d)", r"(:p\1)", statement))
        given = {f"p{number}": value for number, value in enumerate(values, 1)}
        return (await self._session.execute(named, given)).all()


@contextmanager
def caught(of: object) -> Iterator[list[Sent]]:
    """Yield what is sent meanwhile: over a connection, or over all of them if `of` is `Engine`."""
    sent: list[Sent] = []

    def catch(*call: Any) -> None:
        _connection, _cursor, statement, parameters, *_ = call
        sent.append((statement, parameters))

    event.listen(of, "before_cursor_execute", catch)
    try:
        yield sent
    finally:
        event.remove(of, "before_cursor_execute", catch)


async def explain(
    session: AsyncSession, sent: Iterable[Sent], *, options: str = "format json"
) -> list[dict[str, Any]]:
    """Return the nodes of the plans of these statements. With `analyze` they run once more."""
    connection = await session.connection()
    nodes: list[dict[str, Any]] = []
    for statement, parameters in list(sent):
        rows = await connection.exec_driver_sql(f"explain ({options}) {statement}", parameters)
        found = rows.scalar_one()
        nodes += _nodes((json.loads(found) if isinstance(found, str) else found)[0]["Plan"])
    return nodes


async def assert_spared(database: Database, read: Read) -> None:
    """Assert that indexes spare a statement every Sort and Filter that it gives no reason for.

    Under the policy of one shop as under that of all: neither keeps an index from being used.
    """
    for shop in (SHOP, EVERY_SHOP):
        await _assert_spared(database, read, shop)


async def _assert_spared(database: Database, read: Read, shop: str) -> None:
    plans = [await plan_of(database, read, shop=shop, sorting=sorting) for sorting in (False, True)]
    plan = min(plans, key=Plan.left_over)
    assert plan.scans == [], f"{read.title} reads a whole table"
    assert not plan.filters or read.filters, f"{read.title} filters: {plan.filters}"
    assert not plan.sorts or read.sorts, f"{read.title} sorts: {plan.sorts}"
    assert plan.filters or not read.filters, f"{read.title} filters nothing: drop the reason"
    assert plan.sorts or not read.sorts, f"{read.title} sorts nothing: drop the reason"


AUDIT_FILL = """
insert into audit (id, at, shop_id, actor_id, actor_role, actor_shop_id, action, object_id)
select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, now(),
    case n % 10 when 0 then 'plans' else 'other' end, 'actor-' || n % 50, 'agent', 'plans',
    'action-' || n / 10 % 5, 'object-' || n % 100
from generate_series(1, 1000) n
"""
"""A thousand entries, a tenth of them of the shop `plans`."""


def audit_reads(table: Table, route: str) -> list[Read]:
    """Return the ways in which a service's audit is read."""
    by_actor, by_action = {"actor": "actor-10"}, {"action": "action-1"}
    by_object = {"object": "object-10"}
    first, place = None, "00000000-0000-7000-8000-000000000500"
    rows = [
        ("a shop's audit", {}, first, ""),
        ("the next page of the audit", {}, place, ""),
        ("what one person did", by_actor, place, ""),
        ("what was done to one object", by_object, place, ""),
        ("where one thing was done", by_action, place, ""),
        ("where one person did it", by_actor | by_action, place, "what one person did"),
        ("what he did to one object", by_actor | by_object, place, "what was done to one object"),
    ]
    return [
        Read(
            title,
            partial(
                audit.page,
                table=table,
                shop_id="plans",
                wanted=AuditFilter.model_validate(named),
                below=below,
                limit=51,
            ),
            (route,),
            filters=filters,
        )
        for title, named, below, filters in rows
    ]


def list_routes(app: FastAPI) -> set[str]:
    """Return the paths that answer a list: those with a `limit`, or with `items` in the answer."""
    document = app.openapi()
    shapes = document["components"]["schemas"]
    found = set()
    for path, operations in document["paths"].items():
        read = operations.get("get")
        if read is None:
            continue
        content = read["responses"]["200"].get("content", {}).get("application/json", {})
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        has_items = "items" in shapes.get(name, {}).get("properties", {})
        if has_items or any(one["name"] == "limit" for one in read.get("parameters", ())):
            found.add(path)
    return found


def limited(*modules: ModuleType) -> set[object]:
    """Return the public functions that read or delete at most so many rows."""
    return {
        made
        for module in modules
        for name, made in inspect.getmembers(module, inspect.iscoroutinefunction)
        if made.__module__ == module.__name__
        and not name.startswith("_")
        and "limit" in inspect.signature(made).parameters
    }


def assert_all_are_there(reads: Iterable[Read], app: FastAPI, *modules: ModuleType) -> None:
    """Assert that each list route and each limited function of the repository has its row."""
    known = list(reads)
    assert {path for read in known for path in read.serves} == list_routes(app)
    missing = limited(*modules) - {read.function for read in known}
    assert missing == set(), "give these a row in the table of this test"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _note(plan: Plan, node: dict[str, Any]) -> None:
    kind = node["Node Type"]
    if "Sort" in kind:
        plan.sorts.append(" ".join(node["Sort Key"]))
    if kind == "Seq Scan":
        plan.scans.append(node["Relation Name"])
    own = _POLICY.sub("", node.get("Filter", ""))
    if re.search(r"\w", own.replace("AND", "")):
        plan.filters.append(own)
