"""Deadlines warn once, in time, whoever sweeps; and never for a case that was decided."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts.aftersales import CaseDeadlineNear, CaseState
from contracts.people import Role
from kit.postgres import Database
from services.aftersales.cases.service import BATCH, Warnings
from tests.infrastructure import Infrastructure, TestDatabase
from tests.integration.aftersales.test_cases import approved, opened, paid_order
from tests.trade import Trade, trading
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

TERM = timedelta(seconds=2)
SWEEPERS = 12
"""So many come right behind one another's commits that a row which is not looked at again shows."""

IN_TIME_S = 2.0
"""Promise P14: a timer fires at most this late."""


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
    assert 0 <= (near.time - warn_at).total_seconds() <= IN_TIME_S
    assert (near.state, near.version) == (CaseState.REQUESTED, 2)
    assert await _sweep(trade) == 0
    assert trade.told(case_id) == ["case.requested.v1", "case.deadline_near.v1"]


async def test_a_case_decided_in_time_is_never_warned_of(trade: Trade) -> None:
    shop = trade.shop()
    boss = shop.person(Role.SUPERVISOR)
    order_id = await paid_order(trade, shop)
    decided, undecided = await opened(boss, order_id), await opened(boss, order_id)

    await approved(boss, decided)
    await trade.events(CaseDeadlineNear, undecided)

    assert trade.told(decided) == ["case.requested.v1", "case.reviewed.v1"]


async def test_many_deadlines_swept_by_twelve_at_once_warn_once_each_and_never_early(
    trade: Trade, database: TestDatabase
) -> None:
    count, early = 40 * BATCH + 7, 5
    own = Database(database.dsn("aftersales"), schema="aftersales", pool_size=SWEEPERS)
    shop = trade.shop()
    await _cases(own, shop.id, count, early)

    swept = await asyncio.gather(*(_until_done(Warnings(own)) for _ in range(SWEEPERS)))

    # The running service sweeps with us: its last batch may be committed after our last look.
    await eventually(lambda: _nothing_due(own, shop.id))
    async with own.read_across("a test") as session:
        query = text(
            "select c.version, d.warned_at is not null and d.warned_at >= d.warn_at"
            " from cases c join deadlines d on d.case_id = c.id where c.shop_id = :shop"
        )
        rows = Counter(tuple(row) for row in await session.execute(query, {"shop": shop.id}))
    assert rows == {(2, True): count, (1, False): early}
    assert sum(swept) <= count
    await own.close()


async def _nothing_due(own: Database, shop_id: str) -> bool:
    async with own.read_across("a test") as session:
        due = await session.execute(
            text(
                "select 1 from cases c join deadlines d on d.case_id = c.id"
                " where c.shop_id = :shop and d.warned_at is null and d.warn_at <= now() limit 1"
            ),
            {"shop": shop_id},
        )
        return due.scalar() is None


async def _until_done(warnings: Warnings) -> int:
    total = 0
    while raised := await warnings.raise_due():
        total += raised
    return total


async def _sweep(trade: Trade) -> int:
    return await Warnings(trade.databases["aftersales"]).raise_due()


async def _cases(own: Database, shop_id: str, due: int, early: int) -> None:
    """Insert cases whose warning is due by now, and some whose warning is not."""
    async with own.write_across("a test") as session:
        await session.execute(
            text(
                "insert into payments (order_id, shop_id, buyer_id, external_id, paid_fen,"
                " currency, paid_at) values (:shop, :shop, 'b', 'e', 1000, 'CNY', now())"
            ),
            {"shop": shop_id},
        )
        for table, columns, values in (
            (
                "cases",
                (
                    "id, shop_id, order_id, buyer_id, kind, state, version, amount_fen, currency,"
                    " buyer_reason, opened_by, opened_at, updated_at"
                ),
                (
                    ":shop || '-' || n, :shop, :shop, 'b', 'refund', 'requested', 1, 1, 'CNY',"
                    " 'r', 'b', now(), now()"
                ),
            ),
            (
                "deadlines",
                "case_id, state, due_at, warn_at",
                (
                    ":shop || '-' || n, 'requested', now() + interval '1 hour',"
                    " now() + case when n <= :due then interval '0' else interval '1 hour' end"
                ),
            ),
        ):
            await session.execute(
                text(
                    f"insert into {table} ({columns}) select {values} from"
                    " generate_series(1, cast(:due as int) + cast(:early as int)) n"
                ),
                {"shop": shop_id, "due": due, "early": early},
            )
