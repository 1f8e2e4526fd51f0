"""`just bench routing`: what a go costs at the peak, and what another shop feels of it (H39).

The floor is the least that can be asked of the database for the same go, on the same data in the
same run. Nothing here is a timed test: it fails only if a measurement could not be made.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles
from typing import Any, Final

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts.people import ConversationId, ConversationState, PersonId, ShopId, SkillGroupId
from kit.clock import SystemClock
from kit.ids import Uuid7Ids
from kit.postgres import Database
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import (
    Conversation,
    Outcome,
    close,
    open_conversation,
)
from services.conversation.reception.opening import Openings
from services.conversation.routing.distributor import Joining
from services.conversation.routing.service import Routing
from services.conversation.turns import ShopBusy, Turns
from tests import infrastructure
from tests.infrastructure import Infrastructure, TestDatabase
from tests.load import crowd, peak_shop, ratios
from tests.load.judging import Bench
from tests.load.peak_shop import CALM, PEAK, Peak
from tests.load.ratios import Ratio

pytestmark = [pytest.mark.load, pytest.mark.timeout(1_200)]

GOES: Final = 200
POOL: Final = 8
STORM: Final = 32
"""So many commands of the shop at the peak are under way at any moment; some wait too long."""

CROWD: Final = 65
"""So many open at once in each of two shops."""

CALM_PER_S: Final = 5.0
CALM_S: Final = 10.0
GO_MOST_MS: Final = 10.0

_FLOOR_LOAD: Final = """
SELECT agent_id, count(*) FROM conversation.conversations
WHERE shop_id = $1 AND state = 'assigned' GROUP BY agent_id
"""
_FLOOR_HEAD: Final = """
SELECT id FROM conversation.conversations
WHERE shop_id = $1 AND skill_group_id = (SELECT skill_group_id FROM conversation.staff_skills
    WHERE staff_id = $2) AND state = 'queued'
ORDER BY rank_at, id LIMIT 1 FOR UPDATE
"""
_FLOOR_GIVE: Final = """
UPDATE conversation.conversations SET state = 'assigned', agent_id = $2, waiting_since = null,
    rank_at = null, assigned_at = now() WHERE id = $1
"""
_FLOOR_FREE: Final = """
UPDATE conversation.conversations SET state = 'closed', agent_id = null, closed_at = now()
WHERE id = (SELECT id FROM conversation.conversations
    WHERE agent_id = $1 AND state = 'assigned' LIMIT 1)
"""


@dataclass
class Ground:
    """The peak in a database of its own, and routing on it as the service puts it together."""

    found: TestDatabase
    peak: Peak
    db: Database
    turns: Turns
    routing: Routing
    clock: SystemClock
    chance: Random

    async def ended(self, session: Any, agent: str) -> Outcome:
        """Return what becomes of one of an agent's conversations that he closes."""
        [talk, *_] = await conversations.owned_by(session, PersonId(agent))
        return close(talk, PersonId(agent), "", stamp=self.routing.stamp())

    async def command(self, shop: ShopId, agents: Sequence[str]) -> None:
        """Close a conversation of somebody and give him the next one, as `POST .../close` does."""
        async with self.turns.write(shop) as session:
            outcome = await self.ended(session, self.chance.choice(agents))
            await self.routing.free(session, outcome, "slot_free")

    async def bare(self) -> None:
        """Do nothing, in a transaction of the same pool."""
        async with self.db.write(CALM) as session:
            await session.execute(text("select 1"))


@pytest_asyncio.fixture
async def ground(place: Infrastructure) -> AsyncIterator[Ground]:
    """A fresh database at the peak."""
    found = await infrastructure.create_database(place)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(infrastructure.drop_database, place, found.name)
        await found.migrate("conversation")
        peak = await peak_shop.write(found)
        db = Database(found.dsn("conversation"), schema="conversation", pool_size=POOL)
        stack.push_async_callback(db.close)
        clock = SystemClock()
        yield Ground(
            found,
            peak,
            db,
            Turns(db, waiting_most=POOL // 2),
            Routing(clock, Uuid7Ids(clock)),
            clock,
            Random(11),
        )


async def test_a_go_at_the_peak(ground: Ground, bench: Bench) -> None:
    names = ("full", "go", "cpu", "whole", "floor")
    rounds: dict[str, list[list[float]]] = {name: [] for name in names}
    async with ground.found.connected("conversation", shop=PEAK) as floor:
        for _ in range(bench.rounds):
            rounds["full"].append(await _full(ground))
            for name, took in (await _goes(ground)).items():
                rounds[name].append(took)
            rounds["floor"].append([await _floor(ground, floor) for _ in range(GOES)])
    titles = {
        "full": "a go where nobody has room",
        "go": "a go with one free place",
        "cpu": "CPU of this process in it",
        "whole": "the same with turn, close and commit",
        "floor": "floor: bare statements of that transaction",
    }
    shape = f"{peak_shop.AGENTS} agents, {peak_shop.QUEUED} queued"
    sys.stdout.write(f"\n{shape}; {bench.rounds} rounds of {GOES}, in ms\n")
    for name, title in titles.items():
        _say(title, [one for each in rounds[name] for one in each])
    mids = {name: [median(each) for each in found] for name, found in rounds.items()}
    bench.report(
        "Routing: a go at the peak, medians by round",
        [
            Ratio("a go in ms", mids["go"], most=GO_MOST_MS),
            Ratio("a go's p99 in ms", [_p99(one) for one in rounds["go"]], most=GO_MOST_MS),
            Ratio(
                "floor to the whole transaction",
                [a / b for a, b in zip(mids["floor"], mids["whole"], strict=True)],
            ),
        ],
        {"rounds": rounds},
    )


async def test_what_another_shop_feels(ground: Ground, bench: Bench) -> None:
    """The calm shop's commands and bare transactions, alone and beside the peak."""
    found: dict[str, list[list[float]]] = {}
    goes = refused = 0
    for _ in range(bench.rounds):
        for name, work in (("calm", _calm(ground)), ("bare", ground.bare)):
            found.setdefault(f"{name} alone", []).append(await _paced(work))
            async with asyncio.TaskGroup() as group:
                storm = Storm(ground)
                tasks = [group.create_task(storm.run()) for _ in range(STORM)]
                found.setdefault(f"{name} beside", []).append(await _paced(work))
                storm.over = True
                await asyncio.gather(*tasks)
                goes, refused = goes + storm.done, refused + storm.refused
    sys.stdout.write(
        f"\nanother shop at {CALM_PER_S:g}/s, {STORM} commands of the peak under way\n"
    )
    for name, rounds in found.items():
        _say(name, [one for each in rounds for one in each])
    over_s = 2 * bench.rounds * CALM_S
    sys.stdout.write(
        f"  the peak's commands meanwhile: {goes / over_s:.0f}/s, 503 to {refused / over_s:.0f}/s\n"
    )
    p99 = {name: [_p99(one) for one in rounds] for name, rounds in found.items()}
    ratios.report(
        "Routing: another shop's p99 alone to the one beside the peak",
        "routing_beside",
        [
            Ratio(
                f"{name}: alone to beside",
                [a / b for a, b in zip(p99[f"{name} alone"], p99[f"{name} beside"], strict=True)],
            )
            for name in ("calm", "bare")
        ],
        {"rounds": found},
    )


async def test_a_crowd_that_opens_at_once(ground: Ground, bench: Bench) -> None:
    """Half of them where nobody has room and thousands wait, half where everybody has."""
    openings, whole, cpu = Openings(ground.turns, ground.routing), [], []
    took: list[float] = []
    floors, refused = [], 0
    async with ground.found.connected("conversation", shop=PEAK) as bare:
        for _ in range(bench.rounds):
            ids = {shop: await crowd.buyers(ground.found, shop, CROWD) for shop in (PEAK, CALM)}
            started, worked = time.perf_counter(), time.process_time()
            pushed = await crowd.push(openings, ids)
            whole.append(_ms_since(started))
            cpu.append((time.process_time() - worked) * 1_000 / (2 * CROWD))
            took += pushed.took
            refused += pushed.refused
            others = [await crowd.buyers(ground.found, PEAK, CROWD) for _ in range(2)]
            floors.append(sum([await crowd.floor(bare, PEAK, each) for each in others]))
    sys.stdout.write(f"\n{2 * CROWD} opens at once in two shops; {bench.rounds} rounds, in ms\n")
    _say("an open of the crowd", took)
    _say("all of them", whole)
    _say("CPU of this process for each", cpu)
    _say("floor: bare statements for all", floors)
    sys.stdout.write(f"  503 to {refused}\n")
    bench.report(
        "Routing: a crowd of opens, by round",
        [
            Ratio("CPU of an open in ms", cpu),
            Ratio("floor to the crowd", [a / b for a, b in zip(floors, whole, strict=True)]),
        ],
        {"rounds": {"took": took, "whole": whole, "floor": floors}},
    )


@dataclass
class Storm:
    """Commands of the shop at the peak, one after the other, until it is over."""

    ground: Ground
    over: bool = False
    done: int = 0
    refused: int = 0

    async def run(self) -> None:
        """Command until `over`."""
        while not self.over:
            try:
                await self.ground.command(PEAK, self.ground.peak.agents)
            except ShopBusy:
                self.refused += 1
            else:
                self.done += 1


def _calm(ground: Ground) -> Callable[[], Awaitable[None]]:
    async def command() -> None:
        """Open a conversation, which finds its agent at once, and close it again."""
        stamp = ground.routing.stamp()
        fresh = Conversation(
            id=ConversationId(stamp.ids.new()),
            shop_id=CALM,
            buyer_id=PersonId(stamp.ids.new()),
            skill_group_id=SkillGroupId(ground.peak.calm_group),
            state=ConversationState.QUEUED,
            opened_at=stamp.at,
            waiting_since=stamp.at,
        )
        opened = Joining(open_conversation(fresh, stamp), "opened", is_new=True)
        async with ground.turns.write(CALM) as session:
            placed = (await ground.routing.join(session, CALM, [opened], trigger="opened"))[
                fresh.id
            ]
            assert placed.agent_id is not None
            await ground.routing.apply(session, close(placed, placed.agent_id, "", stamp=stamp))

    return command


async def _full(ground: Ground) -> list[float]:
    took: list[float] = []
    for _ in range(GOES):
        async with ground.turns.write(PEAK) as session:
            started = time.perf_counter()
            found = await ground.routing.fill(session, PEAK, "sweep")
            took.append(_ms_since(started))
        assert found == 0
    return took


async def _goes(ground: Ground) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {"go": [], "cpu": [], "whole": []}
    for _ in range(GOES):
        begun = time.perf_counter()
        async with ground.turns.write(PEAK) as session:
            outcome = await ground.ended(session, ground.chance.choice(ground.peak.agents))
            await ground.routing.apply(session, outcome)
            started, worked = time.perf_counter(), time.process_time()
            found = await ground.routing.fill(session, PEAK, "slot_free")
            took["go"].append(_ms_since(started))
            took["cpu"].append((time.process_time() - worked) * 1_000)
        took["whole"].append(_ms_since(begun))
        assert found == 1
    return took


async def _floor(ground: Ground, connection: "asyncpg.Connection[Any]") -> float:
    agent = ground.chance.choice(ground.peak.agents)
    started = time.perf_counter()
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(1)")
        await connection.execute(_FLOOR_FREE, agent)
        await connection.fetch(_FLOOR_LOAD, PEAK)
        talk = await connection.fetchval(_FLOOR_HEAD, PEAK, agent)
        await connection.execute(_FLOOR_GIVE, talk, agent)
    return _ms_since(started)


async def _paced(work: Callable[[], Awaitable[None]]) -> list[float]:
    """Do it at a steady pace, however long each takes; return the times from when each was due.

    One that was answered 503 counts with the two seconds that it took.
    """
    took: list[float] = []
    begun = time.perf_counter()

    async def one(due: float) -> None:
        with suppress(ShopBusy):
            await work()
        took.append(_ms_since(due))

    async with asyncio.TaskGroup() as group:
        for number in range(int(CALM_PER_S * CALM_S)):
            due = begun + number / CALM_PER_S
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            group.create_task(one(due))
    return took


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1_000, 3)


def _p99(took: Sequence[float]) -> float:
    return quantiles(took, n=100)[98]


def _say(title: str, took: Sequence[float]) -> None:
    numbers = f"p50 {median(took):7.2f}  p99 {_p99(took):7.2f}  max {max(took):7.2f}"
    sys.stdout.write(f"  {title:<44} {numbers}\n")
