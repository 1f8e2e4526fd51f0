"""`just bench presence`: what it costs to watch 5,000 agents, beside the floor of reading alone.

The clock is moved by hand, so a minute takes what its work takes: CPU seconds over seconds of that
clock are the share of a core. Nothing here is a timed test.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import event

from contracts.base import decode
from contracts.gateway import Connected, PresenceReported
from contracts.people import PersonId, Role, ShopId
from contracts.topics import PRESENCE
from kit import tables
from kit.bus.memory import MemoryBus
from kit.bus.ports import Message, message_of
from kit.clock import ManualClock
from kit.ids import SequenceIds
from kit.metrics import Metrics
from kit.postgres import Database
from kit.web.paging import Cursors
from services.conversation.presence.consumers import Presence
from services.conversation.presence.service import States
from services.conversation.routing.service import Routing
from services.conversation.settings import Settings
from services.conversation.turns import Turns
from tests import infrastructure
from tests.infrastructure import Infrastructure
from tests.load import ground
from tests.load.judging import Bench
from tests.load.processes import cpu_seconds
from tests.load.ratios import Ratio
from tests.waiting import eventually

pytestmark = [pytest.mark.load, pytest.mark.timeout(600)]

AGENTS: Final = 5_000
SHOPS: Final = 10
GATEWAYS: Final = 4
REPORT_S: Final = 10
WATCHED_S: Final = 60
MOST_PERCENT: Final = 1.0

_SHOPS: Final = """
INSERT INTO conversation.shops (id, name, time_zone)
SELECT 'shop' || n, '旗舰店', 'Asia/Shanghai' FROM generate_series(0, $1 - 1) AS t (n)
"""
_STAFF: Final = """
INSERT INTO conversation.staff (id, shop_id, login, password_hash, name, role, capacity, not_before,
    state, state_since)
SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'shop' || n % $2, n::text, '',
    '客服', 'agent', 10, now(), 'online', now() FROM generate_series(0, $1 - 1) AS t (n)
"""


@dataclass
class Watch:
    """Presence of all agents, as one replica follows it."""

    bus: MemoryBus
    clock: ManualClock
    presence: Presence
    db: Database
    reports: tuple[PresenceReported, ...]

    async def minute(self) -> float:
        """Let a minute pass: a look each second, a report of each gateway every ten.

        Returns the CPU seconds that reading and looking took; what gateways do is not ours.
        """
        producer, start = self.bus.producer(), self.clock.now()
        told = [self._told(start + timedelta(seconds=at)) for at in range(0, WATCHED_S, REPORT_S)]
        began = time.process_time()
        for second in range(WATCHED_S):
            if second % REPORT_S == 0:
                for message in told[second // REPORT_S]:
                    await producer.send(message)
                await eventually(lambda: self.presence.loop.lag() == 0)
            self.clock.advance(1.0)
            await self.presence.look()
        return time.process_time() - began

    def _told(self, at: datetime) -> list[Message]:
        return [message_of(one.model_copy(update={"time": at})) for one in self.reports]

    def decode_all(self) -> None:
        """Read what a minute's reports say, and nothing else."""
        for record in self.bus.records(PRESENCE.name)[-GATEWAYS * (WATCHED_S // REPORT_S) :]:
            decode(record)


@pytest_asyncio.fixture
async def watch(place: Infrastructure) -> AsyncIterator[Watch]:
    """Five thousand agents at their desks, and a reader of their reports."""
    found = await infrastructure.create_database(place)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(infrastructure.drop_database, place, found.name)
        await tables.upgrade(found.dsn("conversation"), "conversation")
        connection = await asyncpg.connect(found.plain_dsn("conversation"))
        await connection.execute(_SHOPS, SHOPS)
        await connection.execute(_STAFF, AGENTS, SHOPS)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()
        db = Database(found.dsn("conversation"), schema="conversation")
        stack.push_async_callback(db.close)
        yield await stack.enter_async_context(_watching(db))


@asynccontextmanager
async def _watching(db: Database) -> AsyncIterator[Watch]:
    clock, bus = ManualClock(datetime.now(UTC)), MemoryBus()
    bus.add_topic(PRESENCE.name, 1)
    settings = Settings()
    turns = Turns(db, waiting_most=settings.database_pool // 2)
    states = States(db, turns, Routing(clock, SequenceIds()), Cursors(settings.cursor_secret))
    presence = Presence(
        bus, states, lost_after_s=settings.lost_after_s, clock=clock, metrics=Metrics()
    )
    await presence.loop.start()
    running = asyncio.create_task(presence.loop.run())
    try:
        await eventually(presence.loop.caught_up.is_set)
        yield Watch(bus, clock, presence, db, tuple(map(_report, range(GATEWAYS))))
    finally:
        await presence.loop.stop()
        await running


async def test_watching_five_thousand_agents(watch: Watch, bench: Bench) -> None:
    sent: list[str] = []

    def note(*call: Any) -> None:
        sent.append(call[2])

    await watch.minute()
    event.listen(watch.db._engine.sync_engine, "before_cursor_execute", note)
    shares, floors, database = [], [], []
    for _ in range(bench.rounds):
        theirs = cpu_seconds(ground._pids())
        shares.append(await watch.minute() / WATCHED_S)
        used = cpu_seconds(ground._pids()).since(theirs)
        database.append(used.by_name["postgres"] / WATCHED_S)
        began = time.process_time()
        watch.decode_all()
        floors.append((time.process_time() - began) / WATCHED_S)
    async with watch.db.read_across("a test") as session:
        offline = "select count(*) from staff where state = 'offline'"
        connection = await session.connection()
        lost = (await connection.exec_driver_sql(offline)).scalar_one()
    assert lost == 0

    looks = bench.rounds * WATCHED_S
    sys.stdout.write(
        f"\n{AGENTS} agents of {SHOPS} shops, {bench.rounds} minutes, share of a core\n"
        f"  presence                              {median(shares):.2%}\n"
        f"  floor: decoding the reports           {median(floors):.2%}\n"
        f"  the database meanwhile, all of it     {median(database):.2%}\n"
        f"  statements a look                     {(len(sent) - 1) / looks:.2f}\n"
    )
    bench.report(
        "Presence of 5,000 agents",
        [
            Ratio("percent of a core", [100 * one for one in shares], most=MOST_PERCENT),
            Ratio(
                "floor to presence",
                [floor / one for floor, one in zip(floors, shares, strict=True)],
            ),
        ],
        {"shares": {"presence": shares, "floor": floors, "database": database}},
    )


def _report(gateway: int) -> PresenceReported:
    return PresenceReported(
        id=f"report-{gateway}",
        time=datetime.now(UTC),
        shop_id=ShopId("platform"),
        gateway_id=f"gateway-{gateway}",
        people=tuple(
            Connected(
                person_id=PersonId(f"00000000-0000-7000-8000-{number:012d}"),
                shop_id=ShopId(f"shop{number % SHOPS}"),
                role=Role.AGENT,
            )
            for number in range(gateway, AGENTS, GATEWAYS)
        ),
    )
