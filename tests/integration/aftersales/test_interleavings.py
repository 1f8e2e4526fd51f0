"""Many people at once, at random: whatever the interleaving, money and versions add up (P8)."""

import asyncio
import random
from collections import Counter, defaultdict

import pytest
from sqlalchemy import text

from contracts.aftersales import CaseEvent, CaseRefunded, CaseRequested, CaseReviewed, CaseState
from contracts.people import Role
from tests.integration.aftersales.test_cases import ask, paid_order
from tests.trade import Person, Trade
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PAID = 10_000
PEOPLE = 8
STEPS = 15
REFUSALS = {404, 409, 412}


@pytest.mark.parametrize("seed", [1, 2])
async def test_random_commands_side_by_side_keep_every_invariant(trade: Trade, seed: int) -> None:
    shop = trade.shop()
    order_id = await paid_order(trade, shop, PAID)
    cases: list[str] = []
    staff = [shop.person(Role.SUPERVISOR) for _ in range(PEOPLE)]

    answers = await asyncio.gather(
        *(
            _play(person, order_id, cases, random.Random(f"{seed}/{number}"))
            for number, person in enumerate(staff)
        )
    )

    counted = sum(answers, Counter[int]())
    assert set(counted) <= {200, 201} | REFUSALS, "nothing else may happen"
    assert min(counted[200], counted[201]) > 3, "too little happened to prove anything"
    await _assert_money_adds_up(trade, order_id)
    await _assert_the_log_tells_legal_histories(trade, cases)


async def _play(
    person: Person, order_id: str, cases: list[str], chance: random.Random
) -> Counter[int]:
    """Do what comes to mind; most of it on stale versions or in the wrong state."""
    seen: Counter[int] = Counter()
    for _ in range(STEPS):
        step = chance.choice(["open", "approve", "reject", "refund", "refund"])
        if step == "open" or not cases:
            answer = await person.post("/v1/cases", ask(order_id, chance.randrange(1, 2_500)))
            if answer.status_code == 201:
                cases.append(answer.json()["id"])
        else:
            path = f"/v1/cases/{chance.choice(cases)}"
            version = chance.choice([1, 2])
            if step == "refund":
                answer = await person.post(f"{path}/refund", if_match=version)
            else:
                body = {"decision": step, "note": "x"}
                answer = await person.post(f"{path}/review", body, if_match=version)
        seen[answer.status_code] += 1
    return seen


async def _assert_money_adds_up(trade: Trade, order_id: str) -> None:
    async with trade.databases["aftersales"].read_across("a test") as session:
        query = text("select state, sum(amount_fen) from cases where order_id = :o group by state")
        found = await session.execute(query, {"o": order_id})
        sums = defaultdict(int, {state: int(fen) for state, fen in found})
        query = text("select reserved_fen, refunded_fen from payments where order_id = :o")
        reserved, refunded = (await session.execute(query, {"o": order_id})).one()
    assert reserved == sums[CaseState.REQUESTED] + sums[CaseState.REVIEWED]
    assert refunded == sums[CaseState.REFUNDED]
    assert reserved + refunded <= PAID


async def _assert_the_log_tells_legal_histories(trade: Trade, cases: list[str]) -> None:
    async with trade.databases["aftersales"].read_across("a test") as session:
        query = text("select id, version from cases where id = any(:ids)")
        found = await session.execute(query, {"ids": cases})
        versions = {row.id: row.version for row in found}
    for case_id, version in versions.items():
        events = await trade.events(CaseEvent, case_id, count=version)
        assert [event.version for event in events] == list(range(1, version + 1))
        told = [
            f"{type(event).__name__} {event.decision}"
            if isinstance(event, CaseReviewed)
            else type(event).__name__
            for event in events
        ]
        assert told in (
            [CaseRequested.__name__],
            [CaseRequested.__name__, "CaseReviewed approve"],
            [CaseRequested.__name__, "CaseReviewed reject"],
            [CaseRequested.__name__, "CaseReviewed approve", CaseRefunded.__name__],
        )
    await eventually(lambda: _published(trade), what="an empty outbox")


async def _published(trade: Trade) -> bool:
    async with trade.databases["aftersales"].read_across("a test") as session:
        return not (await session.execute(text("select count(*) from outbox"))).scalar_one()
