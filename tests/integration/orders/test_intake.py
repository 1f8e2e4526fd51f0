"""The intake takes what a shop's platform signed, once, and nothing else."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections import Counter
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from contracts.orders import OrderPaid, OrderPlaced
from contracts.people import PLATFORM, Role, ShopId
from kit.admission import Admission
from kit.audit import Audit
from kit.clock import ManualClock
from kit.ids import derived_id
from kit.postgres import Database
from kit.web.limits import ForeignIdLimits
from services.orders.intake.service import FRESH_S, Secrets
from services.orders.tables import AUDIT
from tests.infrastructure import TestDatabase
from tests.trade import Person, Shop, Trade

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_an_order_is_taken_and_told_with_the_buyers_derived_id(trade: Trade) -> None:
    shop = trade.shop()
    delivery = shop.placed(buyer="tb-77")

    answer = await shop.deliver(delivery)

    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "placed"
    (event,) = await trade.events(OrderPlaced, answer.json()["order_id"])
    assert event.buyer_id == derived_id("buyer", shop.id, "tb-77")
    assert event.external_id == delivery["data"]["external_id"]
    assert event.total_fen == 25_900


async def test_a_repeated_delivery_answers_the_first_answer(trade: Trade) -> None:
    shop = trade.shop()
    delivery = shop.placed()
    first = await shop.deliver(delivery, webhook_id="msg_1")
    await shop.deliver(shop.paid(delivery["data"]["external_id"]))

    again = await shop.deliver(delivery, webhook_id="msg_1")

    assert again.json() == first.json(), "the first answer, though the order is paid by now"
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers


async def test_fifty_deliveries_of_one_order_at_once_make_one_order(trade: Trade) -> None:
    shop = trade.shop()
    delivery = shop.placed()
    external_id = delivery["data"]["external_id"]

    placed = await asyncio.gather(
        *(shop.deliver(delivery, webhook_id=f"msg_{n % 10}") for n in range(50))
    )
    paid = await asyncio.gather(*(shop.deliver(shop.paid(external_id)) for _ in range(50)))

    assert Counter(answer.status_code for answer in placed + paid) == {200: 100}
    order_id = placed[0].json()["order_id"]
    assert {answer.json()["order_id"] for answer in placed + paid} == {order_id}
    await trade.events(OrderPaid, order_id)
    assert trade.told(order_id) == ["order.placed.v1", "order.paid.v1"]


async def test_the_same_external_id_in_two_shops_is_two_orders(trade: Trade) -> None:
    one, other = trade.shop(), trade.shop()
    delivery = one.placed()

    first, second = await one.deliver(delivery), await other.deliver(delivery)

    assert first.json()["order_id"] != second.json()["order_id"]


async def test_the_same_delivery_id_with_another_body_is_refused(trade: Trade) -> None:
    shop = trade.shop()
    await shop.deliver(shop.placed(), webhook_id="msg_1")

    answer = await shop.deliver(shop.placed(), webhook_id="msg_1")

    assert (answer.status_code, answer.json()["code"]) == (422, "delivery_reused")


async def test_other_facts_of_a_known_order_are_refused(trade: Trade) -> None:
    shop = trade.shop()
    delivery = shop.placed()
    await shop.deliver(delivery)
    delivery["data"]["total_fen"] = 1

    answer = await shop.deliver(delivery)

    assert (answer.status_code, answer.json()["code"]) == (409, "order_differs")


async def test_another_amount_for_a_paid_order_is_refused(trade: Trade) -> None:
    shop = trade.shop()
    delivery = shop.placed()
    await shop.deliver(delivery)
    external_id = delivery["data"]["external_id"]
    await shop.deliver(shop.paid(external_id, 25_900))

    answer = await shop.deliver(shop.paid(external_id, 1))

    assert (answer.status_code, answer.json()["code"]) == (409, "order_differs")


async def test_a_payment_before_its_order_is_refused_and_succeeds_when_repeated(
    trade: Trade,
) -> None:
    shop = trade.shop()
    delivery = shop.placed()
    payment = shop.paid(delivery["data"]["external_id"])

    early = await shop.deliver(payment, webhook_id="msg_paid")
    await shop.deliver(delivery)
    late = await shop.deliver(payment, webhook_id="msg_paid")

    assert (early.status_code, early.json()["code"]) == (409, "order_not_placed")
    assert (late.status_code, late.json()["state"]) == (200, "paid")


FORGED: dict[str, dict[str, Any]] = {
    "no signature": {"signature": ""},
    "a signature that is no base64": {"signature": "v1,***"},
    "a signature of another version": {"signature": "v1a,AAAA"},
    "somebody else's key": {"secret": b"a key of somebody else"},
    "a body changed after signing": {"signed_body": b"{}"},
    "six minutes old": {"off": timedelta(minutes=-6)},
    "six minutes ahead": {"off": timedelta(minutes=6)},
    "a timestamp that is no number": {"at": "now"},
    "a negative timestamp": {"at": "-1"},
    "a timestamp of many digits": {"at": "9" * 40},
    "no id": {"webhook_id": ""},
    "a very long id": {"webhook_id": "m" * 2000},
}


@pytest.mark.parametrize("forgery", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_delivery_is_refused_and_leaves_nothing(
    trade: Trade, forgery: dict[str, Any]
) -> None:
    shop = trade.shop()

    answer = await shop.deliver(shop.placed(), **forgery)

    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert (await shop.person(Role.AGENT).get("/v1/orders")).json()["items"] == []


async def test_whitespace_added_after_signing_is_noticed(trade: Trade) -> None:
    shop = trade.shop()
    body = json.dumps(shop.placed()).encode()

    answer = await shop.deliver({}, body=body + b" ", signed_body=body)

    assert answer.status_code == 401


async def test_one_shops_signature_opens_no_other_shops_door(trade: Trade) -> None:
    shop, other = trade.shop(), trade.shop()

    answer = await shop.deliver(shop.placed(), to=other.id)

    assert answer.status_code == 401
    assert (await other.person(Role.AGENT).get("/v1/orders")).json()["items"] == []


async def test_one_good_signature_among_several_is_enough_during_rotation(trade: Trade) -> None:
    shop = trade.shop()
    delivery = shop.placed()
    probe = await shop.deliver(delivery, signature="v1,AAAA")
    assert probe.status_code == 401

    body = json.dumps(delivery, ensure_ascii=False).encode()
    at = int(datetime.now(UTC).timestamp())
    tag = _tag(shop.secret, f"msg_r.{at}.".encode() + body)
    answer = await shop.deliver(
        delivery, webhook_id="msg_r", at=at, signature=f"v2,AAAA v1,AAAA v1,{tag}"
    )

    assert answer.status_code == 200, answer.text


def _tag(secret: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


BAD_FACTS: dict[str, dict[str, Any]] = {
    "a field that is not its to set": {"state": "released"},
    "another shop": {"shop_id": "another"},
    "a fraction of a fen": {"total_fen": 0.5},
    "text for money": {"total_fen": "25900"},
    "a negative sum": {"total_fen": -1},
    "a sum beyond reason": {"total_fen": 10**12},
    "another currency": {"currency": "USD"},
    "no lines": {"lines": []},
    "too many lines": {"lines": [{"sku": "a", "title": "a", "quantity": 1, "price_fen": 1}] * 201},
    "a line of nothing": {"lines": [{"sku": "a", "title": "a", "quantity": 0, "price_fen": 1}]},
    "an id with blanks": {"external_id": "a b"},
    "a time without zone": {"placed_at": "2026-11-11T00:00:00"},
    "a NUL in a name": {"buyer": {"external_id": "tb-1", "name": "a\x00b"}},
}


@pytest.mark.parametrize("changes", BAD_FACTS.values(), ids=BAD_FACTS.keys())
async def test_a_signed_delivery_that_makes_no_sense_is_refused(
    trade: Trade, changes: dict[str, Any]
) -> None:
    shop = trade.shop()

    answer = await shop.deliver(shop.placed(**changes))

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_type_that_the_intake_does_not_take_is_refused(trade: Trade) -> None:
    shop = trade.shop()
    answer = await shop.deliver({**shop.placed(), "type": "order.released"})
    assert answer.status_code == 422


async def test_an_admin_sees_the_secret_of_his_shop_and_the_look_is_audited(trade: Trade) -> None:
    shop = trade.shop()
    admin = shop.person(Role.ADMIN)

    answer = await admin.get(f"/v1/intake/{shop.id}/secret")

    assert answer.status_code == 200
    assert answer.json()["secret"].startswith("whsec_")
    assert await trade.audited(shop.id) == [("intake_secret_shown", admin.id)]


async def test_the_platforms_admin_may_see_any_shops_secret(trade: Trade) -> None:
    shop = trade.shop()
    platform = Person(trade, trade.ids.new(), Role.ADMIN, PLATFORM)
    assert (await platform.get(f"/v1/intake/{shop.id}/secret")).status_code == 200


async def test_another_shops_admin_gets_404_and_is_audited(trade: Trade) -> None:
    shop, other = trade.shop(), trade.shop()
    stranger = other.person(Role.ADMIN)

    answer = await stranger.get(f"/v1/intake/{shop.id}/secret")

    assert answer.status_code == 404
    assert await trade.audited(shop.id) == [("refused_other_shop", stranger.id)]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
async def test_nobody_but_an_admin_sees_a_secret(trade: Trade, role: Role) -> None:
    shop = trade.shop()
    assert (await shop.person(role).get(f"/v1/intake/{shop.id}/secret")).status_code == 403


async def test_after_a_rotation_the_new_secret_and_the_one_before_are_good(trade: Trade) -> None:
    shop = trade.shop()
    admin = shop.person(Role.ADMIN)
    keys = [await shown_key(admin, shop)]
    assert keys == [shop.secret], "version 0 is what it was before there were versions"

    for version in (1, 2, 3):
        answer = await admin.post(f"/v1/intake/{shop.id}/secret-rotations")
        assert (answer.status_code, answer.json()["version"]) == (201, version)
        keys.append(await shown_key(admin, shop))
        codes = [
            (await shop.deliver(shop.placed(), secret=key)).status_code for key in reversed(keys)
        ]
        assert codes == [200, 200, 401, 401][: version + 1]
    assert len(set(keys)) == 4


async def test_a_rotation_is_audited_and_a_repeat_with_its_key_rotates_nothing(
    trade: Trade,
) -> None:
    shop = trade.shop()
    admin = shop.person(Role.ADMIN)
    path = f"/v1/intake/{shop.id}/secret-rotations"

    first = await admin.post(path, key="rotation-1")
    again = await admin.post(path, key="rotation-1")

    assert first.json() == again.json() == {"shop_id": shop.id, "version": 1}
    assert again.headers["idempotent-replayed"] == "true"
    assert await trade.audited(shop.id) == [("intake_secret_rotated", admin.id)]


async def test_only_its_own_admin_and_the_platforms_rotate_a_shops_secret(trade: Trade) -> None:
    shop, other = trade.shop(), trade.shop()
    path = f"/v1/intake/{shop.id}/secret-rotations"
    platform = Person(trade, trade.ids.new(), Role.ADMIN, PLATFORM)

    refused = [
        (await shop.person(role).post(path)).status_code for role in set(Role) - {Role.ADMIN}
    ]
    stranger = other.person(Role.ADMIN)

    assert set(refused) == {403}
    assert (await stranger.post(path)).status_code == 404
    assert await trade.audited(shop.id) == [("refused_other_shop", stranger.id)]
    assert (await shop.deliver(shop.placed())).status_code == 200
    assert (await platform.post(path)).status_code == 201


async def test_a_rotation_under_load_loses_no_delivery_of_a_platform_that_repeats(
    trade: Trade,
) -> None:
    shop = trade.shop()
    admin = shop.person(Role.ADMIN)
    signing = [await shown_key(admin, shop)]
    refusals = []

    async def platform(count: int) -> None:
        for _ in range(count):
            delivery = shop.placed()
            while (answer := await shop.deliver(delivery, secret=signing[-1])).status_code == 401:
                refusals.append(answer)
            assert answer.status_code == 200, answer.text

    async def rotate() -> None:
        for _ in range(3):
            await admin.post(f"/v1/intake/{shop.id}/secret-rotations")
            signing.append(await shown_key(admin, shop))

    await asyncio.gather(rotate(), *(platform(10) for _ in range(8)))

    taken = (await shop.person(Role.AGENT).get("/v1/orders", limit=200)).json()["items"]
    assert len(taken) == 80
    assert len(refusals) < 80


async def test_a_flood_of_forged_deliveries_reads_the_secrets_once_a_second(
    trade: Trade, database: TestDatabase
) -> None:
    store, clock = Counting(database.dsn("orders"), schema="orders"), ManualClock()
    audit = Audit(AUDIT, clock, trade.ids)
    admission = Admission(store, audit, ForeignIdLimits(clock))
    secrets = Secrets(store, admission, audit, clock=clock, master_key=SecretStr("k"))

    for n in range(50):
        await secrets.in_force(ShopId(f"nobodys-{n}"))
    assert store.reads == 1
    clock.advance(FRESH_S)
    await asyncio.gather(*(secrets.in_force(ShopId("nobodys")) for _ in range(50)))

    assert store.reads == 2
    await store.close()


class Counting(Database):
    """A database that counts its reads."""

    reads = 0

    @override
    def read_across(self, reason: str) -> AbstractAsyncContextManager[AsyncSession]:
        self.reads += 1
        return super().read_across(reason)


async def shown_key(admin: Person, shop: Shop) -> bytes:
    """Return the newest key, from the secret as an administrator is shown it."""
    answer = await admin.get(f"/v1/intake/{shop.id}/secret")
    return base64.b64decode(answer.json()["secret"].removeprefix("whsec_"))
