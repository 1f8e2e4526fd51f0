"""Refund cases through the HTTP door: asked for, decided, paid back once and never above paid."""

import asyncio
from collections import Counter
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from contracts.aftersales import CaseRefunded, CaseRequested, CaseReviewed
from contracts.orders import OrderClosed, OrderHeld, OrderReleased
from contracts.people import Role
from tests.trade import Person, Shop, Trade
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

REASON = "尺码偏大，穿不了"


async def paid_order(trade: Trade, shop: Shop, fen: int = 25_900) -> str:
    """Return a paid order whose payment aftersales knows."""
    order_id = await shop.order(paid_fen=fen)
    await eventually(lambda: _payment(trade, order_id), what="the payment")
    return order_id


async def _payment(trade: Trade, order_id: str) -> Any:
    async with trade.databases["aftersales"].read_across("a test") as session:
        query = text("select * from payments where order_id = :order")
        return (await session.execute(query, {"order": order_id})).one_or_none()


def ask(order_id: str, fen: Any = 10_000, **more: Any) -> dict[str, Any]:
    asked = {"order_id": order_id, "kind": "refund", "amount_fen": fen, "buyer_reason": REASON}
    return asked | more


async def opened(person: Person, order_id: str, fen: int = 10_000) -> str:
    answer = await person.post("/v1/cases", ask(order_id, fen))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def approved(person: Person, case_id: str, **more: Any) -> httpx2.Response:
    body = {"decision": "approve", "note": "同意", **more}
    return await person.post(f"/v1/cases/{case_id}/review", body, if_match=1)


async def test_staff_list_one_buyers_cases_and_a_buyer_nobody_elses(trade: Trade) -> None:
    shop = trade.shop()
    one, other = shop.buyer("tb-1"), shop.buyer("tb-2")
    mine = await opened(one, await paid_order(trade, shop))
    agent = shop.person(Role.AGENT)

    of_one = (await agent.get("/v1/cases", buyer_id=one.id)).json()["items"]
    of_other = (await agent.get("/v1/cases", buyer_id=other.id)).json()["items"]
    peeked = (await other.get("/v1/cases", buyer_id=one.id)).json()["items"]

    assert [item["id"] for item in of_one] == [mine]
    assert of_other == peeked == []


async def test_a_refund_goes_from_request_to_money_and_says_so_on_the_way(trade: Trade) -> None:
    shop = trade.shop()
    buyer, staff = shop.buyer("tb-1"), shop.person(Role.AFTERSALES)
    order_id = await paid_order(trade, shop)

    asked = await buyer.post("/v1/cases", ask(order_id))
    case_id = asked.json()["id"]
    reviewed = await approved(staff, case_id, agreed_reason="七天无理由")
    refunded = await staff.post(f"/v1/cases/{case_id}/refund", if_match=2)

    assert asked.status_code == 201, asked.text
    assert (asked.headers["etag"], asked.json()["state"]) == ('"1"', "requested")
    assert reviewed.json()["state"] == "reviewed"
    assert (refunded.json()["state"], refunded.json()["due_at"]) == ("refunded", None)
    (request,) = await trade.events(CaseRequested, case_id)
    (review,) = await trade.events(CaseReviewed, case_id)
    (money,) = await trade.events(CaseRefunded, case_id)
    assert (request.buyer_reason, review.agreed_reason) == (REASON, "七天无理由")
    assert (money.amount_fen, money.by) == (10_000, staff.id)
    assert request.due_at < (review.due_at or request.due_at) + (request.due_at - request.time)
    seen = (await buyer.get(f"/v1/cases/{case_id}")).json()
    assert (seen["buyer_reason"], seen["agreed_reason"]) == (REASON, "七天无理由")
    assert seen["review_note"] is None, "the note is for staff alone"
    assert [action for action, _ in await trade.audited(shop.id, "aftersales")] == [
        "case_requested",
        "case_review_approve",
        "case_refunded",
    ]


async def test_an_open_refund_interlocks_the_order_and_a_rejection_lets_it_go(
    trade: Trade,
) -> None:
    shop = trade.shop()
    buyer, boss = shop.buyer("tb-1"), shop.person(Role.SUPERVISOR)
    order_id = await paid_order(trade, shop)
    path = f"/v1/orders/{order_id}"
    await boss.post(f"{path}/address-verification", {"result": "verified"}, if_match=2)
    await trade.events(OrderReleased, order_id)

    case_id = await opened(buyer, order_id)
    (held,) = await trade.events(OrderHeld, order_id)
    refused = await boss.post(f"{path}/print", if_match=held.version)
    await boss.post(f"/v1/cases/{case_id}/review", {"decision": "reject", "note": "x"}, if_match=1)
    released = await trade.events(OrderReleased, order_id, count=2)
    printed = await boss.post(f"{path}/print", if_match=released[-1].version)

    assert (refused.status_code, refused.json()["interlocks"]) == (409, ["refund_open"])
    assert printed.json()["state"] == "printed"
    locks = (await boss.get(f"{path}/interlocks")).json()["items"]
    assert {(lock["kind"], lock["ref"]) for lock in locks} == {
        ("address_unverified", order_id),
        ("refund_open", case_id),
    }
    assert all(lock["cleared_at"] for lock in locks)


async def test_a_full_refund_closes_the_order_and_drops_its_work(trade: Trade) -> None:
    shop = trade.shop()
    boss = shop.person(Role.SUPERVISOR)
    order_id = await paid_order(trade, shop)

    case_id = await opened(boss, order_id, 25_900)
    await approved(boss, case_id)
    await boss.post(f"/v1/cases/{case_id}/refund", if_match=2)

    (closed,) = await trade.events(OrderClosed, order_id)
    assert closed.reason == "refunded"
    settled = await eventually(lambda: _settled(boss, order_id), what="settled work")
    assert settled["outcome"] == "order_closed"


async def _settled(person: Person, order_id: str) -> Any:
    items = (await person.get("/v1/work-items", order_id=order_id, state="settled")).json()["items"]
    return items[0] if items else None


async def test_fifty_refunds_of_one_case_at_once_pay_once(trade: Trade) -> None:
    shop = trade.shop()
    boss = shop.person(Role.SUPERVISOR)
    order_id = await paid_order(trade, shop)
    case_id = await opened(boss, order_id)
    await approved(boss, case_id)
    path = f"/v1/cases/{case_id}/refund"

    same = await asyncio.gather(*(boss.post(path, key="one", if_match=2) for _ in range(25)))
    others = await asyncio.gather(*(boss.post(path, if_match=2) for _ in range(25)))

    assert set(Counter(answer.status_code for answer in same)) <= {200, 409}
    assert {answer.status_code for answer in others} == {412}
    payment = await _payment(trade, order_id)
    assert (payment.reserved_fen, payment.refunded_fen) == (0, 10_000)
    await trade.events(CaseRefunded, case_id)
    assert trade.told(case_id).count("case.refunded.v1") == 1


async def test_parallel_requests_never_reserve_more_than_was_paid(trade: Trade) -> None:
    shop = trade.shop()
    buyer = shop.buyer("tb-1")
    order_id = await paid_order(trade, shop, 25_900)

    answers = await asyncio.gather(
        *(buyer.post("/v1/cases", ask(order_id, 10_000)) for _ in range(20))
    )

    counted = Counter(answer.status_code for answer in answers)
    assert counted == {201: 2, 409: 18}
    refused = next(answer for answer in answers if answer.status_code == 409).json()
    assert (refused["code"], refused["left_fen"]) == ("refund_above_paid", 5_900)


async def test_two_cases_refunded_side_by_side_both_pay_and_the_rest_is_left(
    trade: Trade,
) -> None:
    shop = trade.shop()
    boss = shop.person(Role.SUPERVISOR)
    order_id = await paid_order(trade, shop)
    cases = [await opened(boss, order_id, fen) for fen in (20_000, 5_900)]
    for case_id in cases:
        await approved(boss, case_id)

    answers = await asyncio.gather(
        *(boss.post(f"/v1/cases/{case_id}/refund", if_match=2) for case_id in cases)
    )

    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await _payment(trade, order_id)).refunded_fen == 25_900
    assert (await boss.post("/v1/cases", ask(order_id, 1))).status_code == 409


@pytest.mark.parametrize(
    "change",
    [
        "refunded_fen = paid_fen + 1",
        "reserved_fen = 15_901, refunded_fen = 10_000",
        "reserved_fen = -1",
        "refunded_fen = -1",
        "paid_fen = 0",
    ],
)
async def test_the_database_itself_refuses_money_above_paid(trade: Trade, change: str) -> None:
    shop = trade.shop()
    order_id = await paid_order(trade, shop)

    with pytest.raises(IntegrityError, match="never_above_paid"):
        async with trade.databases["aftersales"].write_across("a test") as session:
            await session.execute(
                text(f"update payments set {change} where order_id = :order"), {"order": order_id}
            )


BAD: dict[str, dict[str, Any]] = {
    "nothing": {"fen": 0},
    "a negative amount": {"fen": -1},
    "a fraction": {"fen": 0.1 + 0.2},
    "text": {"fen": "100"},
    "true": {"fen": True},
    "beyond 64 bits": {"fen": 2**64},
    "beyond reason": {"fen": 10**12},
    "another currency": {"currency": "USD"},
    "another kind": {"kind": "exchange"},
    "a state": {"state": "refunded"},
    "a shop": {"shop_id": "another"},
    "a refund amount": {"refund_amount": 1},
    "a buyer": {"buyer_id": "another"},
    "a creation time": {"created_at": "2026-11-11T00:00:00Z"},
    "no reason": {"buyer_reason": " "},
    "a NUL in the reason": {"buyer_reason": "a\x00b"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
async def test_a_request_that_makes_no_sense_is_refused(
    trade: Trade, changes: dict[str, Any]
) -> None:
    shop = trade.shop()
    order_id = await paid_order(trade, shop)

    answer = await shop.buyer("tb-1").post("/v1/cases", ask(order_id, **changes))

    assert answer.status_code == 422, answer.text
    assert (await _payment(trade, order_id)).reserved_fen == 0


async def test_a_buyer_cannot_write_the_agreed_reason(trade: Trade) -> None:
    shop = trade.shop()
    order_id = await paid_order(trade, shop)
    asked = ask(order_id, agreed_reason="七天无理由")
    assert (await shop.buyer("tb-1").post("/v1/cases", asked)).status_code == 403


async def test_other_buyers_and_other_shops_find_neither_order_nor_case(trade: Trade) -> None:
    shop, other = trade.shop(), trade.shop()
    order_id = await paid_order(trade, shop)
    case_id = await opened(shop.buyer("tb-1"), order_id)
    strangers = [shop.buyer("tb-2"), other.person(Role.SUPERVISOR), other.buyer("tb-1")]

    for stranger in strangers:
        answers = [
            await stranger.post("/v1/cases", ask(order_id)),
            await stranger.get(f"/v1/cases/{case_id}"),
        ]
        if stranger.role is Role.SUPERVISOR:
            answers += [
                await approved(stranger, case_id),
                await stranger.post(f"/v1/cases/{case_id}/refund", if_match=1),
            ]
        assert {answer.status_code for answer in answers} == {404}
        assert (await stranger.get("/v1/cases")).json()["items"] == []
    audit = await trade.audited(shop.id, "aftersales")
    assert {actor for action, actor in audit if action == "refused_other_shop"} == {
        strangers[1].id,
        strangers[2].id,
    }


async def test_another_shops_work_item_is_absent(trade: Trade) -> None:
    shop, other = trade.shop(), trade.shop()
    order_id = await shop.order()
    work = await trade.assign(order_id, shop.person(Role.AGENT))

    answer = await other.person(Role.AGENT).get(f"/v1/work-items/{work.work_id}")

    assert answer.status_code == 404


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.AFTERSALES, Role.SUPERVISOR}))
async def test_only_aftersales_and_supervisors_decide(trade: Trade, role: Role) -> None:
    shop = trade.shop()
    case_id = await opened(shop.buyer("tb-1"), await paid_order(trade, shop))
    person = shop.person(role)

    assert (await approved(person, case_id)).status_code == 403
    assert (await person.post(f"/v1/cases/{case_id}/refund", if_match=1)).status_code == 403


async def test_a_large_refund_needs_a_supervisor(trade: Trade) -> None:
    shop = trade.shop()
    order_id = await paid_order(trade, shop, 1_000_000)
    case_id = await opened(shop.buyer("tb-1"), order_id, 1_000_000)

    refused = await approved(shop.person(Role.AFTERSALES), case_id)

    assert (refused.status_code, refused.json()["code"]) == (403, "above_limit")
    assert (await approved(shop.person(Role.SUPERVISOR), case_id)).status_code == 200


@pytest.mark.parametrize("field", ["amount_fen", "refund_amount", "state", "by"])
async def test_the_money_that_goes_back_is_not_the_callers_to_name(
    trade: Trade, field: str
) -> None:
    shop = trade.shop()
    boss = shop.person(Role.SUPERVISOR)
    order_id = await paid_order(trade, shop)
    case_id = await opened(boss, order_id)
    await approved(boss, case_id)

    answer = await boss.post(f"/v1/cases/{case_id}/refund", {field: 25_900}, if_match=2)

    assert answer.status_code == 422
    assert (await _payment(trade, order_id)).refunded_fen == 0


async def test_commands_out_of_turn_are_refused(trade: Trade) -> None:
    shop = trade.shop()
    boss = shop.person(Role.SUPERVISOR)
    case_id = await opened(boss, await paid_order(trade, shop))
    path = f"/v1/cases/{case_id}"
    review = {"decision": "approve", "note": "x"}

    too_early = await boss.post(f"{path}/refund", if_match=1)
    await boss.post(f"{path}/review", review, if_match=1)
    reviewed_again = await boss.post(f"{path}/review", review, if_match=2)
    await boss.post(f"{path}/refund", if_match=2)
    refunded_again = await boss.post(f"{path}/refund", if_match=3)

    for answer in (too_early, reviewed_again, refunded_again):
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")


@pytest.mark.parametrize(
    ("if_match", "status"),
    [(None, 428), ("*", 428), ('W/"1"', 412), ('"0"', 412), ('"2"', 412)],
)
async def test_a_decision_without_the_present_version_is_refused(
    trade: Trade, if_match: str | None, status: int
) -> None:
    shop = trade.shop()
    boss = shop.person(Role.SUPERVISOR)
    case_id = await opened(boss, await paid_order(trade, shop))
    body = {"decision": "approve", "note": "x"}

    answer = await boss.post(f"/v1/cases/{case_id}/review", body, if_match=if_match)

    assert answer.status_code == status
    assert (await boss.get(f"/v1/cases/{case_id}")).headers["etag"] == '"1"'


async def test_cases_and_work_items_page_without_gap_or_repeat(trade: Trade) -> None:
    shop = trade.shop()
    boss = shop.person(Role.SUPERVISOR)
    orders = [await paid_order(trade, shop) for _ in range(3)]
    cases = [await opened(boss, order_id) for order_id in orders]
    for order_id in orders:
        await trade.assign(order_id, boss)

    assert [item["id"] for item in await _all(boss, "/v1/cases")] == cases[::-1]
    work = await _all(boss, "/v1/work-items")
    assert sorted(item["order_id"] for item in work) == sorted(orders)
    assert [item["opened_at"] for item in work] == sorted(
        (item["opened_at"] for item in work), reverse=True
    )


async def _all(person: Person, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 1}
    while True:
        page = (await person.get(path, **query)).json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]
