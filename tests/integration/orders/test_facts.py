"""Facts of other services: old news is ignored, nonsense is set aside, the rest goes on."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.aftersales import CaseRefunded, CaseRequested
from contracts.orders import OrderClosed, OrderReleased
from contracts.people import CaseId, OrderId, PersonId, Role, ShopId
from contracts.topics import CASES
from kit.bus.deadletter import DeadLetter, letters
from kit.bus.ports import Message, message_of
from kit.clock import SystemClock
from kit.service.worker import UnknownGroup
from services.orders import app
from services.orders.settings import Settings
from services.orders.tables import SETTLEMENTS
from tests.trade import Shop, Trade
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


def requested(trade: Trade, shop: Shop, order_id: str, *, version: int, case: str) -> CaseRequested:
    at = SystemClock().now()
    return CaseRequested(
        id=trade.ids.new(),
        time=at,
        shop_id=ShopId(shop.id),
        case_id=CaseId(case),
        order_id=OrderId(order_id),
        buyer_id=PersonId("buyer"),
        version=version,
        kind="refund",
        amount_fen=100,
        buyer_reason="x",
        due_at=at,
    )


def refunded(trade: Trade, of: CaseRequested, *, version: int, fen: int) -> CaseRefunded:
    return CaseRefunded(
        id=trade.ids.new(),
        time=of.time,
        shop_id=of.shop_id,
        case_id=of.case_id,
        order_id=of.order_id,
        buyer_id=of.buyer_id,
        version=version,
        amount_fen=fen,
        by=PersonId("staff"),
    )


async def test_a_request_that_lands_after_its_refund_is_old_news(trade: Trade) -> None:
    shop = trade.shop()
    boss = shop.person(Role.SUPERVISOR)
    order_id = await shop.order()
    late = requested(trade, shop, order_id, version=1, case=trade.ids.new())
    marker = requested(trade, shop, order_id, version=1, case=late.case_id)
    path = f"/v1/orders/{order_id}"

    await trade.tell(refunded(trade, late, version=3, fen=100), late)
    await eventually(lambda: _refunded(trade, shop, order_id), what="the refund")
    await trade.tell(marker)
    checked = await boss.post(f"{path}/address-verification", {"result": "verified"}, if_match=2)

    assert checked.json()["state"] == "released"
    await trade.events(OrderReleased, order_id)
    locks = (await boss.get(f"{path}/interlocks")).json()["items"]
    assert all(lock["cleared_at"] for lock in locks)


async def _refunded(trade: Trade, shop: Shop, order_id: str) -> bool:
    read = await shop.person(Role.AGENT).get(f"/v1/orders/{order_id}")
    return bool(read.json()["refunded_fen"] == 100)


async def test_a_full_refund_told_by_aftersales_closes_the_order(trade: Trade) -> None:
    shop = trade.shop()
    order_id = await shop.order()
    asked = requested(trade, shop, order_id, version=1, case=trade.ids.new())

    await trade.tell(asked, refunded(trade, asked, version=3, fen=25_900))

    (closed,) = await trade.events(OrderClosed, order_id)
    assert (closed.reason, closed.by) == ("refunded", "staff")


async def test_poison_is_set_aside_with_its_reason_and_blocks_nobody(trade: Trade) -> None:
    shop, other = trade.shop(), trade.shop()
    order_id = await shop.order()
    good = requested(trade, shop, order_id, version=1, case=trade.ids.new())
    poison = _poison(message_of(good), trade, other, order_id)
    newer = _changed(message_of(good), ce_type=b"case.requested.v99")

    before = {letter.place for letter in await letters(trade.bus, SETTLEMENTS)}
    await _produce(trade, [newer, *poison.values(), message_of(good)])
    boss = shop.person(Role.SUPERVISOR)
    await eventually(
        lambda: _locked(boss.get(f"/v1/orders/{order_id}/interlocks")), what="the lock"
    )

    dead = [one for one in await letters(trade.bus, SETTLEMENTS) if one.place not in before]
    assert len(dead) == len(poison), "what is of a newer release is passed over"
    told = " ".join(one.reason for one in dead)
    assert "secret" not in told
    for expected in ("ce_type", "ce_shop", "this shop does not have"):
        assert expected in told


async def test_a_replay_hands_the_dead_letters_to_the_handler_once_more(trade: Trade) -> None:
    settings = trade.settings["orders"]
    assert isinstance(settings, Settings)
    shop, absent = trade.shop(), trade.ids.new()
    await trade.tell(requested(trade, shop, absent, version=1, case=trade.ids.new()))
    waiting = await eventually(lambda: _dead(trade, "does not have"), what="the letter")

    service = app.build(settings)
    report = await service.replay(SETTLEMENTS)

    assert (report.done, report.gone) == (0, 0), "the order is still not there"
    assert report.failed >= len(waiting) > 0
    with pytest.raises(UnknownGroup, match=SETTLEMENTS):
        await service.replay("aftersales.tasks")
    await service.close()


async def _dead(trade: Trade, reason: str) -> list[DeadLetter]:
    return [letter for letter in await letters(trade.bus, SETTLEMENTS) if reason in letter.reason]


async def _locked(asking: Any) -> bool:
    found = (await asking).json()["items"]
    return any(lock["kind"] == "refund_open" and not lock["cleared_at"] for lock in found)


def _poison(good: Message, trade: Trade, other: Shop, order_id: str) -> dict[str, Message]:
    """Return records that cannot be used, all on the good one's partition and before it."""
    body = json.loads(good.value or b"")

    def message(value: bytes | None, **changes: bytes) -> Message:
        return replace(_changed(good, **changes), value=value)

    stranger = requested(trade, other, order_id, version=1, case=trade.ids.new())
    foreign = message_of(stranger)
    return {
        "no headers": Message(CASES.name, good.key, good.value, ()),
        "no body": message(None),
        "no JSON": message(b"secret{"),
        "a retyped field": message(json.dumps(body | {"amount_fen": "secret"}).encode()),
        "another shop in the header": message(good.value, ce_shop=b"another"),
        "bytes that are no text": message(good.value, ce_id=b"\xff"),
        "another shop's order": Message(CASES.name, good.key, foreign.value, foreign.headers),
    }


def _changed(good: Message, **headers: bytes) -> Message:
    return replace(good, headers=tuple({**dict(good.headers), **headers}.items()))


async def _produce(trade: Trade, messages: list[Message]) -> None:
    producer = trade.bus.producer()
    await producer.start()
    try:
        for message in messages:
            await producer.send(message)
    finally:
        await producer.stop()
