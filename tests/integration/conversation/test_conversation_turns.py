"""Turns at routing: one at a time in a shop, no shop at another's expense (H39)."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts.people import ShopId
from kit.postgres import Database
from services.conversation.turns import LINE_LIMIT, WAIT_S, ShopBusy, Turns
from tests.infrastructure import TestDatabase
from tests.integration.conversation.desk import Platform, code, ok
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

POOL = 8
PATIENT_S = 60.0
"""Longer than any test lasts: no turn comes, or is refused, because its wait is over."""
HUNG_S = 20.0
"""What has not come by then was held back: it asserts no pace, it only ends the test."""

_IN_TRANSACTION = """
    select count(*) from pg_stat_activity where application_name = 'turns'
        and datname = current_database() and state in ('active', 'idle in transaction')
"""
_AT_A_LOCK = """
    select count(*) from pg_stat_activity where application_name = 'turns'
        and datname = current_database() and wait_event_type = 'Lock'
"""
_RATE = text("update conversations set score = 5, version = version + 1 where id = :id")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def db(database: TestDatabase, prepared: str) -> AsyncIterator[Database]:
    """A pool of a process's size; a statement waits as long as a patient turn does."""
    made = Database(
        database.dsn("conversation"),
        schema="conversation",
        pool_size=POOL,
        statement_timeout_ms=int(PATIENT_S * 1000),
        name="turns",
    )
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def other(database: TestDatabase, prepared: str) -> AsyncIterator[Database]:
    """Another process's pool."""
    made = Database(
        database.dsn("conversation"), schema="conversation", pool_size=12, name="another process"
    )
    yield made
    await made.close()


@pytest.fixture
def turns(db: Database) -> Turns:
    """The turns of this process, where nobody is refused for having waited."""
    return Turns(db, waiting_most=POOL // 2, wait_s=PATIENT_S)


@asynccontextmanager
async def held(other: Database, shops: Iterable[str]) -> AsyncIterator[None]:
    """Let another process have these shops' turns."""
    turns = Turns(other, waiting_most=1)
    async with AsyncExitStack() as stack:
        for shop in shops:
            await stack.enter_async_context(turns.write(shop))
        yield


async def test_one_at_a_time_and_first_come_first_served(turns: Turns) -> None:
    inside, order = 0, []

    async def route(number: int) -> None:
        nonlocal inside
        async with turns.write("a"):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.005)
            order.append(number)
            inside -= 1

    await asyncio.gather(*(route(number) for number in range(30)))

    assert order == list(range(30))


async def test_a_shop_in_which_many_wait_takes_no_connection_from_another(
    turns: Turns, db: Database, database: TestDatabase
) -> None:
    async with turns.write("a"):
        waiting = [asyncio.create_task(_route(turns, "a")) for _ in range(50)]

        async with asyncio.timeout(HUNG_S):
            await asyncio.gather(*(_route(turns, f"b{number}") for number in range(20)))

        assert await _are_in_transactions(database, 1)
        assert not any(one.done() for one in waiting)
    await asyncio.gather(*waiting)


async def test_half_of_the_pool_at_most_waits_for_other_processes(
    turns: Turns, db: Database, other: Database, database: TestDatabase
) -> None:
    shops = [f"c{number}" for number in range(12)]
    async with held(other, shops):
        waiting = [asyncio.create_task(_route(turns, shop)) for shop in shops]
        await eventually(lambda: _wait_for_a_turn(database, POOL // 2), within=HUNG_S)

        async with asyncio.timeout(HUNG_S):
            await _route(turns, "a free shop")
            async with db.read("c0"):
                pass

        # The others have asked by now, gave their connections back, and are waiting all the same.
        await eventually(lambda: _are_in_transactions(database, POOL // 2), within=HUNG_S)
        assert await _wait_for_a_turn(database, POOL // 2)
        assert not any(one.done() for one in waiting)
    await asyncio.gather(*waiting)


async def test_whoever_waits_for_another_process_is_refused_once_a_turns_wait_is_over(
    db: Database, other: Database
) -> None:
    turns, shops = Turns(db, waiting_most=POOL // 2), [f"c{number}" for number in range(12)]
    async with held(other, shops):
        started = time.monotonic()
        waiting = [_route(turns, shop) for shop in shops]
        async with asyncio.timeout(HUNG_S):
            refused = await asyncio.gather(*waiting, return_exceptions=True)
        took = time.monotonic() - started

    assert [type(one) for one in refused] == [ShopBusy] * len(shops)
    assert took > 0.95 * WAIT_S
    await asyncio.gather(*(_route(turns, shop) for shop in shops))


async def test_a_turn_that_another_process_gives_up_comes_at_once(
    turns: Turns, other: Database, database: TestDatabase
) -> None:
    async with held(other, ["d"]):
        waiting = [asyncio.create_task(_route(turns, "d")) for _ in range(3)]
        await eventually(lambda: _wait_for_a_turn(database, 1), within=HUNG_S)
        assert not any(one.done() for one in waiting)

    async with asyncio.timeout(HUNG_S):
        await asyncio.gather(*waiting)


async def test_a_line_has_an_end(turns: Turns, other: Database) -> None:
    async with held(other, ["e"]):
        waiting = [asyncio.create_task(_route(turns, "e")) for _ in range(LINE_LIMIT + 1)]
        await asyncio.sleep(0)

        with pytest.raises(ShopBusy):
            await _route(turns, "e")

        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    await _route(turns, "e")


async def test_whoever_leaves_the_line_holds_up_nobody(
    turns: Turns, other: Database, database: TestDatabase
) -> None:
    async with held(other, ["f"]):
        waiting = [asyncio.create_task(_route(turns, "f")) for _ in range(10)]
        await eventually(lambda: _wait_for_a_turn(database, 1), within=HUNG_S)
        for one in waiting[:9]:
            one.cancel()
        await asyncio.wait(waiting[:9])

    async with asyncio.timeout(HUNG_S):
        await waiting[9]
    assert all(one.cancelled() for one in waiting[:9])
    await _route(turns, "f")


async def test_a_busy_shop_answers_503_with_the_time_to_come_again(
    platform: Platform, other: Database
) -> None:
    busy, calm = await platform.shop(), await platform.shop()
    buyer, elsewhere = await busy.buyer(), await calm.buyer()
    async with held(other, [busy.id]):
        refused = asyncio.create_task(buyer.post("/v1/conversations"))
        # A turn waits no longer than the refused one: held back with it, this would be refused.
        ok(await elsewhere.post("/v1/conversations"), 201)
        answer = await refused

    assert code(answer) == (503, "shop_busy")
    assert answer.headers["retry-after"] == "2"
    ok(await buyer.post("/v1/conversations"), 201)


async def test_what_changes_no_owner_waits_for_nobodys_turn(
    platform: Platform, other: Database
) -> None:
    shop = await platform.shop()
    agent, buyer = await shop.staff(), await shop.buyer()
    chat = ok(await buyer.post("/v1/conversations"), 201)
    path = f"/v1/conversations/{chat['id']}"

    async with held(other, [shop.id]):
        moved = ok(await agent.post(f"{path}/stage", {"stage": "verify"}))
        rated = ok(await buyer.post(f"{path}/rating", {"score": 5}))

    assert (moved["stage"], rated["stage"], rated["score"]) == ("verify", "verify", 5)
    assert rated["version"] == chat["version"] + 2


async def test_a_rating_under_way_is_kept_when_its_buyer_comes_back(
    platform: Platform, other: Database
) -> None:
    shop = await platform.shop()
    await shop.staff()
    buyer = await shop.buyer()
    chat = ok(await buyer.post("/v1/conversations"), 201)
    ok(await buyer.post(f"/v1/conversations/{chat['id']}/close"))

    async with other.write(shop.id) as session:
        await session.execute(_RATE, {"id": chat["id"]})
        coming = asyncio.create_task(buyer.post("/v1/conversations"))
        await asyncio.sleep(0.3)
        assert not coming.done()

    again = ok(await coming, 201)
    assert (again["id"], again["state"], again["score"]) == (chat["id"], "assigned", 5)


async def test_a_busy_shop_keeps_no_other_from_its_sweep(
    platform: Platform, other: Database
) -> None:
    shops = [await platform.shop() for _ in range(3)]
    for shop in shops:
        ok(await (await shop.buyer()).post("/v1/conversations"), 201)
    filled: list[str] = []

    async def note(shop_id: ShopId) -> None:
        async with platform.service.turns.write(shop_id):
            filled.append(shop_id)

    async with held(other, [shops[1].id]):
        await platform.service.sweeps._each([ShopId(shop.id) for shop in shops], note)

    assert filled == [shops[0].id, shops[2].id]


async def _route(turns: Turns, shop: str) -> None:
    async with turns.write(shop):
        pass


async def _are_in_transactions(database: TestDatabase, wanted: int) -> bool:
    """Tell whether so many connections of the pool are in a transaction at this moment."""
    return await _count(database, _IN_TRANSACTION) == wanted


async def _wait_for_a_turn(database: TestDatabase, wanted: int) -> bool:
    """Tell whether so many connections of the pool wait for a turn of another process."""
    return await _count(database, _AT_A_LOCK) == wanted


async def _count(database: TestDatabase, query: str) -> int:
    connection = await asyncpg.connect(database.plain_dsn("conversation"))
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()
