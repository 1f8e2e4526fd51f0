"""Somebody who pushes at the doors of orders and aftersales: tries ids, bends lists."""

import asyncio
from collections import Counter
from functools import partial
from typing import Any

import httpx2
import pytest

from contracts.people import Role
from kit.web.limits import STRANGER_BURST
from tests.infrastructure import TestDatabase
from tests.trade import Person, Trade
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

POOL = 8
"""Connections of the service, each of which a command on the stuck order holds."""

TRIED = int(STRANGER_BURST) + 60
"""More than a busy machine forgives while it answers them."""


@pytest.mark.parametrize(
    "path",
    ["/v1/orders/{id}", "/v1/orders/{id}/remarks", "/v1/cases/{id}", "/v1/work-items/{id}"],
)
async def test_guessing_ids_is_slowed_down_and_nobody_else_is(trade: Trade, path: str) -> None:
    shop = trade.shop()
    guesser, colleague = shop.person(Role.SUPERVISOR), shop.person(Role.SUPERVISOR)

    answers = await at_once(guesser, [path.format(id=trade.ids.new()) for _ in range(TRIED)])

    assert_slowed_down(answers)
    assert (await colleague.get(path.format(id=trade.ids.new()))).status_code == 404
    assert (await guesser.get("/v1/orders")).status_code == 200


async def test_a_guesser_of_foreign_ids_is_slowed_down_as_one_of_absent_ids(trade: Trade) -> None:
    shop, other = trade.shop(), trade.shop()
    order_id = await shop.order()

    answers = await at_once(other.person(Role.SUPERVISOR), [f"/v1/orders/{order_id}"] * TRIED)

    assert_slowed_down(answers)


AT_A_TIME = 8

SLEEP_S = 5
"""What a statement that got into the database would take: refused at once takes no such time."""

BENT: list[dict[str, Any]] = [
    {"limit": 10**9},
    {"limit": 201},
    {"limit": 0},
    {"limit": -1},
    {"limit": "1;--"},
    {"limit": "all"},
    {"cursor": "x" * 2000},
    {"cursor": "1;--"},
    {"cursor": "') OR 1=1"},
    {"cursor": "e30"},
    {"cursor": "页"},
    {"state": f"'; select pg_sleep({SLEEP_S})"},
    {"sort": "id"},
    {"page": 2},
]


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/cases", "/v1/work-items"])
async def test_a_bent_list_is_refused_at_once(trade: Trade, path: str) -> None:
    person = trade.shop().person(Role.SUPERVISOR)

    for query in BENT:
        answer = await person.get(path, **query)

        assert answer.status_code == 422, (query, answer.text)
        assert answer.elapsed.total_seconds() < SLEEP_S, query


async def test_a_cursor_continues_the_list_that_it_was_given_for_and_no_other(
    trade: Trade,
) -> None:
    shop, other = trade.shop(), trade.shop()
    person, buyer = shop.person(Role.SUPERVISOR), shop.buyer("tb-1")
    for order_id in (await shop.order(), await shop.order()):
        asked = {
            "order_id": order_id, "kind": "refund", "amount_fen": 100, "buyer_reason": "尺码不合适"
        }  # fmt: skip
        await eventually(partial(_is_taken, buyer, asked))
    lists = ["/v1/orders", "/v1/cases", "/v1/work-items"]
    cursors = {path: (await person.get(path, limit=1)).json()["next_cursor"] for path in lists}

    for path in lists:
        assert (await person.get(path, cursor=cursors[path])).status_code == 200
        tampered = cursors[path][:-2] + ("AA" if cursors[path][-2:] != "AA" else "BB")
        refused = [
            await person.get(path, cursor=tampered),
            await other.person(Role.SUPERVISOR).get(path, cursor=cursors[path]),
            *[await person.get(path, cursor=cursors[one]) for one in lists if one != path],
        ]
        if path != "/v1/work-items":
            refused.append(await buyer.get(path, cursor=cursors[path]))
        assert [answer.json().get("code") for answer in refused] == ["bad_cursor"] * len(refused)


async def test_a_stuck_order_and_a_full_pool_are_answered_503_within_a_bound(
    trade: Trade, database: TestDatabase
) -> None:
    shop = trade.shop()
    order_id = await shop.order()
    clerk = shop.person(Role.CLERK)
    path, body = f"/v1/orders/{order_id}/remarks", {"text": "请核对"}
    async with (
        asyncio.timeout(15),
        database.connected("orders", shop=shop.id) as stuck,
        stuck.transaction(),
    ):
        await stuck.execute("select from orders where id = $1 for update", order_id)
        answers = await asyncio.gather(*(clerk.post(path, body) for _ in range(POOL + 4)))

    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["code"] for answer in answers} == {"database_busy"}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
    assert (await clerk.post(path, body)).status_code == 201


async def at_once(person: Person, paths: list[str]) -> list[httpx2.Response]:
    """Ask for everything, not more at a time than a busy database takes: the rest would be 503."""
    turns = asyncio.Semaphore(AT_A_TIME)

    async def get(path: str) -> httpx2.Response:
        async with turns:
            return await person.get(path)

    return await asyncio.gather(*map(get, paths))


def assert_slowed_down(answers: list[httpx2.Response]) -> None:
    """Assert that the burst got 404, the rest 429 with the seconds to wait."""
    codes = Counter(answer.status_code for answer in answers)
    assert codes.keys() == {404, 429}
    assert codes[404] >= STRANGER_BURST
    assert all(int(a.headers["retry-after"]) >= 1 for a in answers if a.status_code == 429)


async def _is_taken(buyer: Person, asked: dict[str, Any]) -> bool:
    """Ask for a refund; False until aftersales has heard of the payment."""
    return (await buyer.post("/v1/cases", asked)).status_code == 201
