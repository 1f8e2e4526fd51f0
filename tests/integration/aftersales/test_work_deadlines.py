"""Work and time: the second attempt opens when it is due, and what nobody does is told, once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts.orders import OrderClosed, OrderPaid
from contracts.people import OrderId, PersonId, Role, ShopId, WorkId
from contracts.work import WorkEscalated, WorkOpened, WorkSettled
from kit.clock import SystemClock
from kit.postgres import Database
from services.aftersales.work.playbook import LEVELS, WorkPlaybook
from services.aftersales.work.service import ADDRESS_CHECK, OVERDUE, WorkDeadlines, WorkFacts
from tests.infrastructure import Infrastructure, TestDatabase
from tests.trade import Person, Shop, Trade, trading
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

AGAIN_AFTER = timedelta(seconds=10)
"""One test waits for it; another must have its buyer answer before, however busy the machine is."""
PLAYBOOK = WorkPlaybook(address_check_within=timedelta(minutes=30))
IN_TIME_S = 2.0
"""Promise P14: a timer fires at most this late."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def own(trade: Trade, database: TestDatabase) -> AsyncIterator[Database]:
    """The sessions of another process of aftersales."""
    made = Database(database.dsn("aftersales"), schema="aftersales", pool_size=10)
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trade(
    infra: Infrastructure, database: TestDatabase, kafka_prefix: str
) -> AsyncIterator[Trade]:
    """The services, with seconds until a buyer who did not answer is asked again."""
    again = {"address_check_again_after": AGAIN_AFTER}
    async with trading(infra, database, kafka_prefix, orders=again) as running:
        yield running


async def test_the_second_attempt_opens_when_it_is_due_and_its_silence_releases(
    trade: Trade,
) -> None:
    shop = trade.shop()
    agent = shop.person(Role.AGENT)
    order_id, first = await _unanswered(trade, shop, agent)
    path = f"/v1/orders/{order_id}/address-verification"
    asked = (await agent.get(f"/v1/orders/{order_id}")).json()
    again_at = datetime.fromisoformat(asked["ask_again_at"])

    second = await trade.assign(order_id, agent)
    again = await agent.post(path, {"result": "no_answer"}, if_match=3)

    assert second.work_id != first.work_id
    assert 0 <= (second.time - again_at).total_seconds() <= IN_TIME_S
    assert second.due_at == second.time + PLAYBOOK.address_check_within
    assert again.json()["state"] == "released"
    await trade.events(WorkSettled, second.work_id)
    assert await _timers(trade, order_id, second.work_id) == []
    assert len([e for e in trade.log if isinstance(e, WorkOpened) and e.order_id == order_id]) == 2


async def test_a_buyer_who_answers_meanwhile_is_not_asked_again(trade: Trade) -> None:
    shop = trade.shop()
    agent, boss = shop.person(Role.AGENT), shop.person(Role.SUPERVISOR)
    order_id, _ = await _unanswered(trade, shop, agent)
    assert await eventually(lambda: _timers(trade, order_id)) == [ADDRESS_CHECK]

    path = f"/v1/orders/{order_id}/address-verification"
    verified = await boss.post(path, {"result": "verified"}, if_match=3)

    assert verified.json()["state"] == "released"
    await eventually(lambda: _gone(trade, order_id), what="no timer")
    await _deadlines(trade).check_address_again(ShopId(shop.id), [OrderId(order_id)])
    assert await _attempts(trade, order_id) == [(1, "settled")]


async def test_a_close_and_the_sweep_at_one_time_leave_no_open_work(
    trade: Trade, own: Database
) -> None:
    shop = trade.shop()
    facts, deadlines = WorkFacts(own, PLAYBOOK), WorkDeadlines(own, PLAYBOOK)
    orders = [OrderId(trade.ids.new()) for _ in range(40)]
    for order_id in orders:
        await facts.open_address_check(_paid(trade, shop, order_id))
    async with own.write(shop.id) as session:
        shown = {"shop": shop.id, "kind": ADDRESS_CHECK}
        await session.execute(
            text("update work_items set state = 'settled' where shop_id = :shop"), shown
        )
        await session.execute(
            text(
                "insert into timers (kind, subject_id, shop_id, due_at, fire_at)"
                " select distinct :kind, order_id, shop_id, now(), now() from work_items"
                " where shop_id = :shop"
            ),
            shown,
        )

    await asyncio.gather(
        *(facts.drop_work(_closed(trade, shop, order_id)) for order_id in orders),
        *(deadlines.check_address_again(ShopId(shop.id), orders) for _ in range(3)),
    )

    async with own.read(shop.id) as session:
        query = text("select count(*) from work_items where shop_id = :shop and state = 'open'")
        assert (await session.execute(query, shown)).scalar_one() == 0
        query = text("select count(*) from timers where shop_id = :shop and kind = :kind")
        assert (await session.execute(query, shown)).scalar_one() == 0


async def test_a_close_that_waits_for_the_sweep_sees_the_attempt_that_it_opened(
    trade: Trade, own: Database
) -> None:
    shop, order_id = trade.shop(), OrderId(trade.ids.new())
    facts = WorkFacts(own, PLAYBOOK)
    await facts.open_address_check(_paid(trade, shop, order_id))
    (first,) = await _items(own, order_id)

    async with own.write(shop.id) as session:
        for step in (
            "select 1 from work_items where id = :first for update",
            "update work_items set state = 'settled' where id = :first",
            (
                "insert into work_items"
                " (id, shop_id, order_id, buyer_id, kind, attempt, state, due_at, opened_at)"
                " select id || '-2', shop_id, order_id, buyer_id, kind, 2, 'open', now(), now()"
                " from work_items where id = :first"
            ),
        ):
            await session.execute(text(step), {"first": first})
        closing = asyncio.create_task(facts.drop_work(_closed(trade, shop, order_id)))
        await eventually(lambda: _blocked(own), what="the close at the lock")
    await closing

    assert await _attempts(trade, order_id) == [(1, "settled"), (2, "settled")]


async def test_work_past_its_due_time_is_told_once_however_often_it_is_swept(
    trade: Trade,
) -> None:
    shop = trade.shop()
    boss = shop.person(Role.SUPERVISOR)
    opened = await _open(trade, shop)

    await _passes(trade, opened.work_id, timedelta())
    (told,) = await trade.events(WorkEscalated, opened.work_id)
    await asyncio.gather(
        *(_deadlines(trade).escalate(ShopId(shop.id), [opened.work_id]) for _ in range(5))
    )

    assert (told.level, told.owner_version, told.order_id) == (1, 2, opened.order_id)
    item = (await boss.get(f"/v1/work-items/{opened.work_id}")).json()
    assert (item["state"], item["level"]) == ("open", 1)
    assert datetime.fromisoformat(item["due_at"]) == told.due_at, "when it was due does not move"
    assert trade.told(opened.work_id) == ["work.opened.v1", "work.escalated.v1"]


async def test_after_an_hour_away_it_is_told_once_and_not_once_for_each_time_missed(
    trade: Trade,
) -> None:
    shop = trade.shop()
    opened = await _open(trade, shop)

    # As if it had come due two and a half rounds ago, with nobody there to see it.
    await _passes(trade, opened.work_id, 2.5 * PLAYBOOK.address_check_within)
    (told,) = await trade.events(WorkEscalated, opened.work_id)
    for _ in range(3):
        await _deadlines(trade).escalate(ShopId(shop.id), [opened.work_id])

    assert trade.told(opened.work_id) == ["work.opened.v1", "work.escalated.v1"]
    async with trade.databases["aftersales"].read(shop.id) as session:
        query = text("select due_at from timers where kind = :kind and subject_id = :id")
        wanted = {"kind": OVERDUE, "id": opened.work_id}
        next_at = (await session.execute(query, wanted)).scalar_one()
    since_told = next_at - told.time
    assert abs(since_told - PLAYBOOK.address_check_within) < timedelta(milliseconds=1)


async def test_what_stays_undone_is_told_at_each_level_and_then_no_more(trade: Trade) -> None:
    shop = trade.shop()
    opened = await _open(trade, shop)

    for level in range(1, LEVELS + 1):
        await _passes(trade, opened.work_id, timedelta())
        await trade.events(WorkEscalated, opened.work_id, count=level)

    told = await trade.events(WorkEscalated, opened.work_id, count=LEVELS)
    assert [(event.level, event.owner_version) for event in told] == [(1, 2), (2, 3), (3, 4)]
    assert await _timers(trade, opened.work_id) == []


async def test_work_settled_in_time_never_escalates(trade: Trade) -> None:
    shop = trade.shop()
    agent = shop.person(Role.AGENT)
    order_id = await shop.order()
    opened = await trade.assign(order_id, agent)
    path = f"/v1/orders/{order_id}/address-verification"

    await agent.post(path, {"result": "verified"}, if_match=2)
    await trade.events(WorkSettled, opened.work_id)

    assert await _timers(trade, order_id, opened.work_id) == []
    await _deadlines(trade).escalate(ShopId(shop.id), [opened.work_id])
    assert "work.escalated.v1" not in trade.told(opened.work_id)


async def test_settling_and_escalating_at_one_time_end_settled_and_told_in_order(
    trade: Trade, own: Database
) -> None:
    shop = trade.shop()
    facts, deadlines = WorkFacts(own, PLAYBOOK), WorkDeadlines(own, PLAYBOOK)
    orders = [OrderId(trade.ids.new()) for _ in range(30)]
    for order_id in orders:
        await facts.open_address_check(_paid(trade, shop, order_id))
    async with own.write(shop.id) as session:
        await session.execute(
            text("update timers set due_at = now(), fire_at = now() where shop_id = :shop"),
            {"shop": shop.id},
        )
    items = [item for order_id in orders for item in await _items(own, order_id)]

    await asyncio.gather(
        *(facts.drop_work(_closed(trade, shop, order_id)) for order_id in orders),
        *(deadlines.escalate(ShopId(shop.id), items) for _ in range(2)),
    )

    for work_id in items:
        await trade.events(WorkSettled, work_id)
        assert trade.told(work_id)[-1] == "work.settled.v1", "nothing is told of what is over"
        assert trade.told(work_id).count("work.escalated.v1") <= 1


async def _unanswered(trade: Trade, shop: Shop, agent: Person) -> tuple[str, WorkOpened]:
    """Return an order whose buyer did not answer the first time, and the work that was."""
    order_id = await shop.order()
    first = await trade.assign(order_id, agent)
    path = f"/v1/orders/{order_id}/address-verification"
    asked = await agent.post(path, {"result": "no_answer"}, if_match=2)
    assert asked.status_code == 200, asked.text
    await trade.events(WorkSettled, first.work_id)
    return order_id, first


async def _open(trade: Trade, shop: Shop) -> WorkOpened:
    """Return the open work of a paid order."""
    order_id = await shop.order()

    def found() -> WorkOpened | None:
        opened = (e for e in trade.log if isinstance(e, WorkOpened))
        return next((event for event in opened if event.order_id == order_id), None)

    opened = await eventually(found, what="work.opened")
    assert opened is not None
    return opened


async def _passes(trade: Trade, work_id: str, ago: timedelta) -> None:
    """Let the item's timer have fallen due so long ago."""
    async with trade.databases["aftersales"].write_across("a test") as session:
        await session.execute(
            text(
                "update timers set due_at = now() - cast(:ago as interval),"
                " fire_at = now() - cast(:ago as interval)"
                " where kind = :kind and subject_id = :id"
            ),
            {"ago": ago, "kind": OVERDUE, "id": work_id},
        )


def _deadlines(trade: Trade) -> WorkDeadlines:
    return WorkDeadlines(trade.databases["aftersales"], PLAYBOOK)


async def _timers(trade: Trade, *subjects: str) -> list[str]:
    """Return the kinds of timers that these have."""
    query = text("select kind from timers where subject_id = any(:ids) order by kind")
    async with trade.databases["aftersales"].read_across("a test") as session:
        return list(await session.scalars(query, {"ids": list(subjects)}))


async def _gone(trade: Trade, subject: str) -> bool:
    return not await _timers(trade, subject)


async def _blocked(own: Database) -> bool:
    query = (
        "select exists (select 1 from pg_stat_activity where wait_event_type = 'Lock'"
        " and datname = current_database())"
    )
    async with own.read_across("a test") as session:
        return bool((await session.execute(text(query))).scalar_one())


async def _attempts(trade: Trade, order_id: str) -> list[Any]:
    query = text("select attempt, state from work_items where order_id = :order order by attempt")
    async with trade.databases["aftersales"].read_across("a test") as session:
        return [tuple(row) for row in await session.execute(query, {"order": order_id})]


async def _items(own: Database, order_id: str) -> list[WorkId]:
    query = text("select id from work_items where order_id = :order")
    async with own.read_across("a test") as session:
        return [WorkId(found) for found in await session.scalars(query, {"order": order_id})]


def _paid(trade: Trade, shop: Shop, order_id: OrderId) -> OrderPaid:
    at = SystemClock().now()
    return OrderPaid(
        id=trade.ids.new(),
        time=at,
        shop_id=ShopId(shop.id),
        order_id=order_id,
        buyer_id=PersonId("buyer"),
        version=2,
        external_id="e",
        paid_fen=100,
        paid_at=at,
    )


def _closed(trade: Trade, shop: Shop, order_id: OrderId) -> OrderClosed:
    return OrderClosed(
        id=trade.ids.new(),
        time=SystemClock().now(),
        shop_id=ShopId(shop.id),
        order_id=order_id,
        buyer_id=PersonId("buyer"),
        version=3,
        by=PersonId("agent"),
        reason="refunded",
    )
