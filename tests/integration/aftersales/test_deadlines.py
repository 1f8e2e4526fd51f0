"""Deadlines warn once, in time, whoever sweeps; and never for a case that was decided."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import text
from typing_extensions import override

from contracts.aftersales import CaseDeadlineNear, CaseState
from contracts.people import Role
from kit.clock import SystemClock
from kit.metrics import Metrics
from kit.postgres import Database
from kit.timers import Timers
from services.aftersales.cases.deadlines import DeadlineNear
from services.aftersales.cases.service import WARNING, Warnings
from tests.infrastructure import Infrastructure, TestDatabase
from tests.integration.aftersales.test_cases import approved, opened, paid_order
from tests.sweeping import swept
from tests.trade import Trade, trading
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

TERM = timedelta(seconds=2)
SWEEPERS = 6
COUNT, EARLY = 4_007, 5

IN_TIME_S = 2.0
"""Promise P14: a timer fires at most this late."""


class EverLeading(Timers):
    """A sweep that goes on as if it had the lease."""

    @override
    async def _leading(self) -> bool:
        return True


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trade(
    infra: Infrastructure, database: TestDatabase, kafka_prefix: str
) -> AsyncIterator[Trade]:
    """The services, with two seconds for a review and a day for the money."""
    async with trading(infra, database, kafka_prefix, review_within=TERM) as running:
        yield running


async def test_a_case_that_nobody_reviews_is_warned_of_once_and_in_time(trade: Trade) -> None:
    shop = trade.shop()
    boss = shop.person(Role.SUPERVISOR)
    case_id = await opened(boss, await paid_order(trade, shop))
    asked = (await boss.get(f"/v1/cases/{case_id}")).json()

    (near,) = await trade.events(CaseDeadlineNear, case_id)

    warn_at = datetime.fromisoformat(asked["due_at"]) - TERM / 2
    # The due time is told in milliseconds and kept in microseconds.
    assert -0.001 <= (near.time - warn_at).total_seconds() <= IN_TIME_S
    assert (near.state, near.version) == (CaseState.REQUESTED, 2)
    await swept(sweeper(trade.databases["aftersales"]))
    assert trade.told(case_id) == ["case.requested.v1", "case.deadline_near.v1"]
    after = (await boss.get(f"/v1/cases/{case_id}")).json()
    assert after["due_at"] == asked["due_at"], "a warning moves no deadline"


async def test_a_case_decided_in_time_is_never_warned_of(trade: Trade) -> None:
    shop = trade.shop()
    boss = shop.person(Role.SUPERVISOR)
    order_id = await paid_order(trade, shop)
    decided, undecided = await opened(boss, order_id), await opened(boss, order_id)

    await approved(boss, decided)
    await trade.events(CaseDeadlineNear, undecided)

    assert trade.told(decided) == ["case.requested.v1", "case.reviewed.v1"]


async def test_many_deadlines_swept_by_six_at_once_warn_once_each_and_never_early(
    trade: Trade, database: TestDatabase
) -> None:
    own = Database(database.dsn("aftersales"), schema="aftersales", pool_size=SWEEPERS)
    shop = trade.shop()
    await _cases(own, shop.id)

    await asyncio.gather(*(swept(sweeper(own)) for _ in range(SWEEPERS)))

    # The running service sweeps with us: its last batch may be committed after our last look.
    await eventually(lambda: _timers(own, shop.id, EARLY))
    async with own.read_across("a test") as session:
        query = text("select version, count(*) from cases where shop_id = :shop group by version")
        versions = {row[0]: row[1] for row in await session.execute(query, {"shop": shop.id})}
    assert versions == {2: COUNT, 1: EARLY}
    await eventually(lambda: len(_told(trade, shop.id)) == COUNT, within=30, what="every warning")
    assert set(_told(trade, shop.id).values()) == {1}
    await own.close()


def _told(trade: Trade, shop_id: str) -> Counter[str]:
    """Return how often each case of the shop was warned of."""
    near = [event for event in trade.log if isinstance(event, CaseDeadlineNear)]
    return Counter(str(event.case_id) for event in near if event.shop_id == shop_id)


async def _timers(own: Database, shop_id: str, count: int) -> bool:
    query = text("select count(*) from timers where shop_id = :shop")
    async with own.read_across("a test") as session:
        return int((await session.execute(query, {"shop": shop_id})).scalar_one()) == count


def sweeper(own: Database) -> Timers:
    """Return a sweep of warnings as another process has it."""
    made = EverLeading(own, metrics=Metrics(), clock=SystemClock())
    made.on(WARNING, DeadlineNear(Warnings(own)))
    return made


async def _cases(own: Database, shop_id: str) -> None:
    """Insert cases whose warning is due by now, and some whose warning is not."""
    series = f"generate_series(1, {COUNT + EARLY}) n"
    async with own.write_across("a test") as session:
        for statement in (
            (
                "insert into payments (order_id, shop_id, buyer_id, external_id, paid_fen,"
                " currency, paid_at) values (:shop, :shop, 'b', 'e', 1000, 'CNY', now())"
            ),
            (
                "insert into cases (id, shop_id, order_id, buyer_id, kind, state, version,"
                " amount_fen, currency, buyer_reason, opened_by, opened_at, updated_at, due_at)"
                " select :shop || '-' || n, :shop, :shop, 'b', 'refund', 'requested', 1, 1, 'CNY',"
                f" 'r', 'b', now(), now(), now() + interval '1 hour' from {series}"
            ),
            (
                "insert into timers (kind, subject_id, shop_id, due_at, fire_at)"
                f" select '{WARNING}', :shop || '-' || n, :shop, at, at from {series}, lateral"
                f" (select now() + case when n <= {COUNT} then interval '0' else interval '1 hour'"
                " end as at) moments"
            ),
        ):
            await session.execute(text(statement), {"shop": shop_id})
