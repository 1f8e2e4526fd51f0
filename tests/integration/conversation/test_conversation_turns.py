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
from services.conversation.turns import LINE_LIMIT, ShopBusy, Turns
from tests.infrastructure import TestDatabase
from tests.integration.conversation.desk import Platform, code, ok

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

POOL = 8
SOON_S = 1.0
"""What is not held back is there within this time, on a busy machine too; a turn waits for two."""

_RATE = text("update conversations set score = 5, version = version + 1 where id = :id")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def db(database: TestDatabase, prepared: str) -> AsyncIterator[Database]:
    """A pool of a process's size."""
    made = Database(
        database.dsn("conversation"), schema="conversation", pool_size=POOL, name="turns"
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
    """The turns of this process."""
    return Turns(db, waiting_most=POOL // 2)


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
    free = asyncio.Event()

    async def stay() -> None:
        async with turns.write("a"):
            await free.wait()

    staying = asyncio.create_task(stay())
    waiting = [asyncio.create_task(_route(turns, "a")) for _ in range(50)]
    await asyncio.sleep(0.1)

    assert await _transactions(database, "turns") == 1
    started = time.monotonic()
    await asyncio.gather(*(_route(turns, f"b{number}") for number in range(20)))
    assert time.monotonic() - started < SOON_S
    free.set()
    await asyncio.gather(staying, *waiting)


async def test_half_of_the_pool_at_most_waits_for_other_processes_and_two_seconds_at_most(
    turns: Turns, db: Database, other: Database, database: TestDatabase
) -> None:
    shops = [f"c{number}" for number in range(12)]
    async with held(other, shops):
        started = time.monotonic()
        waiting = [asyncio.create_task(_route(turns, shop)) for shop in shops]
        most = 0
        await asyncio.sleep(0.3)
        for _ in range(6):
            await asyncio.sleep(0.1)
            most = max(most, await _transactions(database, "turns"))

        reads = time.monotonic()
        await _route(turns, "a free shop")
        async with db.read("c0"):
            pass
        assert time.monotonic() - reads < SOON_S

        refused = await asyncio.gather(*waiting, return_exceptions=True)
        took = time.monotonic() - started

    assert most == POOL // 2
    assert [type(one) for one in refused] == [ShopBusy] * len(shops)
    assert 1.9 < took < 2.0 + SOON_S
    await asyncio.gather(*(_route(turns, shop) for shop in shops))


async def test_a_turn_that_another_process_gives_up_comes_at_once(
    turns: Turns, other: Database
) -> None:
    async with held(other, ["d"]):
        waiting = [asyncio.create_task(_route(turns, "d")) for _ in range(3)]
        await asyncio.sleep(0.3)
        assert not any(one.done() for one in waiting)

    started = time.monotonic()
    await asyncio.gather(*waiting)
    assert time.monotonic() - started < SOON_S


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


async def test_whoever_leaves_the_line_holds_up_nobody(turns: Turns, other: Database) -> None:
    async with held(other, ["f"]):
        waiting = [asyncio.create_task(_route(turns, "f")) for _ in range(10)]
        await asyncio.sleep(0.1)
        for one in waiting[:9]:
            one.cancel()
        await asyncio.sleep(0.1)

    await asyncio.wait_for(waiting[9], SOON_S)
    assert all(one.cancelled() for one in waiting[:9])
    await _route(turns, "f")


async def test_a_busy_shop_answers_503_with_the_time_to_come_again(
    platform: Platform, other: Database
) -> None:
    busy, calm = await platform.shop(), await platform.shop()
    buyer, elsewhere = await busy.buyer(), await calm.buyer()
    async with held(other, [busy.id]):
        refused = asyncio.create_task(buyer.post("/v1/conversations"))
        await asyncio.sleep(0.2)
        started = time.monotonic()
        ok(await elsewhere.post("/v1/conversations"), 201)
        assert time.monotonic() - started < SOON_S
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


async def _transactions(database: TestDatabase, name: str) -> int:
    """Return how many connections of a pool are in a transaction at this moment."""
    connection = await asyncpg.connect(database.plain_dsn("conversation"))
    try:
        found = await connection.fetchval(
            "select count(*) from pg_stat_activity where application_name = $1"
            " and state in ('active', 'idle in transaction')",
            name,
        )
    finally:
        await connection.close()
    return int(found)
