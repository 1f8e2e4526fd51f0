"""`just bench figures`: what a shop's leaders wait for when they ask for figures of a large day.

A million rounds of one shop and day, written straight into the tables; asked for as a report does.
Nothing here is a timed test: it fails only if a measurement could not be made.
"""

import json
import sys
from datetime import date, timedelta
from statistics import median
from typing import Any, Final

import asyncpg
import pytest
from sqlalchemy import text

from contracts.people import ShopId
from kit.clock import SystemClock
from kit.postgres import Database
from services.monitor.directory.rules import Rules
from services.monitor.figures.metrics import Metric
from services.monitor.figures.schemas import FiguresQuery
from services.monitor.figures.service import FigureReader
from services.monitor.settings import Settings
from tests import infrastructure
from tests.infrastructure import Infrastructure, TestDatabase
from tests.load.ratios import RESULTS

pytestmark = [pytest.mark.load, pytest.mark.timeout(1_200)]

DAY: Final = date(2026, 11, 11)
SHOP: Final = ShopId("large")
MIDNIGHT_MS: Final = 1_794_326_400_000
NEXT: Final = DAY + timedelta(days=1)
ROUNDS: Final = 1_000_000
SESSIONS: Final = 400_000
BUYERS: Final = 300_000
AGENTS: Final = 500
TIMES: Final = 3
LONGEST_MS: Final = 600_000
"""A statement may take so long here: what would be refused is measured, too."""

_ROUNDS: Final = text(
    """
    insert into rounds (generation, partition, reading, opened_offset, shop_id, conversation_id,
        buyer_id, agent_id, day, opened_ms, closed_ms, waiting_since_ms, outcome, born_offset,
        judged, settled_offset, unstaffed, session_offset, readings, rules)
    select 1, n % 32, 'agent/3600/600', n, :shop, 'c' || n % :sessions, 'b' || n % :buyers,
        'a' || n % :agents, :day, opened, opened + took, opened, 'answered', 0,
        jsonb_object_agg.judged, n, false, n % :sessions, array['agent/3600/600'], 2
    from (
        select n, cast(:midnight as bigint) + cast(n as bigint) * 86399 * 1000 / :rounds as opened,
            cast(exp(9 + 1.3 * sin(n)) as integer) as took
        from generate_series(1, :rounds) as n
    ) as drawn
    cross join lateral (
        select jsonb_object_agg(name, jsonb_build_array(1, took, 0, cast(took <= 180000 as integer),
            cast(took > 120000 as integer))) as judged
        from unnest(array['jd_2021', 'kuaimai', 'pdd', 'qiyu', 'taobao_2022']) as name
    ) as jsonb_object_agg
    """
)
_SESSIONS: Final = text(
    """
    insert into sessions (generation, partition, reading, started_offset, shop_id, conversation_id,
        buyer_id, agent_id, day, started_ms, to_human_ms, assigned_ms, replied_ms, born_offset,
        judged, settled_offset, unstaffed, readings, rules)
    select 1, n % 32, 'agent/3600/600', n, :shop, 'c' || n, 'b' || n % :buyers, 'a' || n % :agents,
        :day, started, started, started + 500, started + took, 0,
        jsonb_build_object('qiyu', jsonb_build_array(1, 1, took, cast(took <= 30000 as integer))),
        n, false, array['agent/3600/600'], 2
    from (
        select n,
            cast(:midnight as bigint) + cast(n as bigint) * 86000 * 1000 / :sessions as started,
            cast(exp(9 + 1.3 * sin(n)) as integer) as took
        from generate_series(0, :sessions - 1) as n
    ) as drawn
    """
)


async def test_figures_of_a_day_of_a_million_rounds(place: Infrastructure) -> None:
    made = await infrastructure.create_database(place)
    try:
        await made.migrate("monitor")
        database = Database(
            made.dsn("monitor"), schema="monitor", name="bench", statement_timeout_ms=LONGEST_MS
        )
        try:
            await _written(made, database)
            found = await _measured(_reader(database))
        finally:
            await database.close()
    finally:
        await infrastructure.drop_database(place, made.name)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "figures.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    sys.stdout.write(f"\nFigures of a day of {ROUNDS} rounds: ms, median of {TIMES}\n")
    sys.stdout.writelines(f"  {name:<40} {value:>8.0f}\n" for name, value in found.items())


def _reader(database: Database) -> FigureReader:
    settings = Settings.model_construct(profiles_folder="", lexicon_folder="")
    return FigureReader(database, Rules.from_settings(settings, settings.open_lexicon()))


async def _written(made: TestDatabase, database: Database) -> None:
    """Write the day, and have PostgreSQL know it as it knows a table that stands for a while."""
    values: dict[str, Any] = {
        "shop": SHOP, "day": DAY, "midnight": MIDNIGHT_MS, "rounds": ROUNDS, "sessions": SESSIONS,
        "buyers": BUYERS, "agents": AGENTS,
    }  # fmt: skip
    async with database.write_across("a bench writes its day") as session:
        await session.execute(text("set local statement_timeout = '10min'"))
        await session.execute(_ROUNDS, values)
        await session.execute(_SESSIONS, values)
    connection = await asyncpg.connect(made.administrator)
    try:
        await connection.execute("vacuum analyze monitor.rounds")
        await connection.execute("vacuum analyze monitor.sessions")
    finally:
        await connection.close()


async def _measured(reader: FigureReader) -> dict[str, float]:
    report = ("frt_p90", "round_p50", "round_p90", "round_p99", "missed", "reply_rate_sessions")
    asked: dict[str, dict[str, Any]] = {
        "the sums alone, whole shop": {},
        "a report's figures, whole shop": {"metrics": report},
        "every figure, whole shop": {"metrics": tuple(Metric)},
        "a report's figures, by hour": {"metrics": report, "bucket": "hour"},
        "a report's figures, by agent": {"metrics": report, "by": "agent"},
    }
    clock, found = SystemClock(), dict[str, float]()
    for name, more in asked.items():
        took = []
        for _ in range(TIMES):
            before = clock.monotonic()
            query = {
                "shop": SHOP,
                "profile": "qiyu",
                "from": f"{DAY}",
                "to": f"{DAY + timedelta(1)}",
            }
            rows = (await reader.read(SHOP, FiguresQuery.model_validate(query | more))).rows
            took.append((clock.monotonic() - before) * 1_000)
            assert sum(row.rounds for row in rows) == ROUNDS
        found[name] = median(took)
    return found
