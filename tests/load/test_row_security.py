"""`just bench row_security`: what naming a shop costs a transaction, and its policy a statement.

All take turns, so that whatever else the machine does meets everybody. Nothing here is a timed
test: the fifth percentile is what a transaction costs where nobody is in its way.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median, quantiles
from typing import Final

import pytest
from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine

from kit.postgres import Database
from launcher.postgres import roles
from tests import infrastructure
from tests.infrastructure import Infrastructure, TestDatabase
from tests.load.ratios import RESULTS

pytestmark = [pytest.mark.load, pytest.mark.timeout(600)]

TIMES: Final = 1_000
TALKS: Final = 60_000
SHOPS: Final = 50

Work = Callable[[], Awaitable[object]]

FILLS: Final = (
    f"""
    insert into shops (id, name, time_zone)
    select 'shop-' || n, '', 'Asia/Shanghai' from generate_series(1, {SHOPS}) n
    """,
    f"""
    insert into conversations (id, shop_id, buyer_id, skill_group_id, state, stage, version,
        assignment_version, announced, opened_at, closed_at, priority, subject)
    select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'shop-' || 1 + n % {SHOPS},
        gen_random_uuid(), gen_random_uuid(), 'closed', 'welcome', 1, 1, true,
        now() + n * interval '1 second', now(), 0, '' from generate_series(1, {TALKS}) n
    """,
    f"""
    insert into messages (message_id, conversation_id, generation, partition, log_offset, type,
        time, body)
    select gen_random_uuid(),
        ('00000000-0000-7000-8000-' || lpad((1 + n % {TALKS // 30})::text, 12, '0'))::uuid,
        1, 0, n, 'message.delivered.v1', now(), repeat('x', 400)
        from generate_series(1, {TALKS * 5}) n
    """,
)
TALK: Final = "00000000-0000-7000-8000-000000000050"
SHOP: Final = "shop-1"

KEY: Final = text("select state from conversations where id = :id")
LIST: Final = text(
    "select * from conversations where shop_id = :shop order by opened_at desc, id desc limit 100"
)
PAGE: Final = text(
    "select message_id, body from messages where conversation_id = :id"
    " order by generation desc, log_offset desc limit 100"
)


async def test_what_the_second_wall_costs(place: Infrastructure) -> None:
    made = await infrastructure.create_database(place)
    try:
        await made.migrate("conversation")
        async with made.connected("conversation", shop="*") as connection:
            for fill in FILLS:
                await connection.execute(fill, timeout=300)
        await made.alter("conversation", "analyze")  # a run role may not, and is told so quietly
        await _measure(made)
    finally:
        await infrastructure.drop_database(place, made.name)


async def _measure(made: TestDatabase) -> None:
    store = Database(made.dsn("conversation"), schema="conversation", pool_size=1)
    bare = _engine(made, {"search_path": "conversation"})
    owner = _engine(
        made, {"search_path": "conversation", "role": roles.owner_of("conversation")}, acting=True
    )
    named, plain, owned = _named(store), _plain(bare), _plain(owner)
    asked = {"id": TALK, "shop": SHOP}
    contestants: dict[str, Work] = {
        "a transaction that asks nothing, without a shop": lambda: plain(text("select 1")),
        "the same, with its shop": lambda: named(text("select 1")),
        "a row by its key, no policy": lambda: owned(KEY, asked),
        "the same, under its policy": lambda: named(KEY, asked),
        "a list of 100, no policy": lambda: owned(LIST, asked),
        "the same list, under its policy": lambda: named(LIST, asked),
        "a page of 100 messages, no policy": lambda: owned(PAGE, asked),
        "the same page, under its policy": lambda: named(PAGE, asked),
    }
    try:
        await _take_turns(contestants, 20)  # to get warm
        took = await _take_turns(contestants, TIMES)
    finally:
        await store.close()
        await bare.dispose()
        await owner.dispose()
    _report(took)


def _engine(
    made: TestDatabase, settings: Mapping[str, str], *, acting: bool = False
) -> AsyncEngine:
    dsn = made.administrator if acting else made.plain_dsn("conversation")
    return create_async_engine(
        dsn.replace("postgresql", "postgresql+asyncpg", 1),
        pool_size=1,
        connect_args={"server_settings": dict(settings)},
        isolation_level="REPEATABLE READ",
    )


def _named(store: Database) -> Callable[..., Awaitable[object]]:
    async def run(statement: object, asked: Mapping[str, object] | None = None) -> object:
        async with store.read(SHOP) as session:
            return (await session.execute(statement, asked)).all()  # type: ignore[call-overload]

    return run


def _plain(engine: AsyncEngine) -> Callable[..., Awaitable[object]]:
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def run(statement: object, asked: Mapping[str, object] | None = None) -> object:
        async with sessions.begin() as session:
            return (await session.execute(statement, asked)).all()  # type: ignore[call-overload]

    return run


async def _take_turns(contestants: Mapping[str, Work], times: int) -> dict[str, list[float]]:
    """Return the milliseconds that each took, each time."""
    took: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(times):
        for name, work in contestants.items():
            begun = time.perf_counter()
            await work()
            took[name].append((time.perf_counter() - begun) * 1_000)
    return took


def _report(took: Mapping[str, list[float]]) -> None:
    table = Table(title=f"Row-level security: milliseconds per transaction, {TIMES} each")
    headings = ("5 %", "median", "95 %")
    table.add_column("what")
    for heading in headings:
        table.add_column(heading, justify="right")
    document = {}
    for name, each in took.items():
        cuts = quantiles(each, n=20)
        found = (cuts[0], median(each), cuts[-1])
        document[name] = dict(zip(headings, found, strict=True))
        table.add_row(name, *(f"{ms:.3f}" for ms in found))
    Console(width=110).print(table)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "row_security.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
