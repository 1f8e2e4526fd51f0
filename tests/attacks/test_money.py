"""Rows 34, 48, 50, 51 and 52: commands repeated, raced, forged, out of order or too large."""

import asyncio
import json
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from contracts.people import Role
from tests.attacks import watching
from tests.attacks.attacker import Answer, Attacker, head, is_problem
from tests.attacks.cast import Cast
from tests.intake import PAID_FEN, a_paid_order, deliver, delivery, placed, signed
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import World

pytestmark = pytest.mark.journey


class Desk:
    """Our shop's aftersales, supervisor and clerk at work on refunds."""

    def __init__(self, attacker: Attacker, cast: Cast) -> None:
        self._attacker, self._cast = attacker, cast

    async def post(
        self, role: Role, path: str, body: Any, *, version: int | str | None = None, key: str = ""
    ) -> httpx2.Response:
        """Send a command."""
        headers = {} if version is None else {"If-Match": _tag(version)}
        headers |= {"Idempotency-Key": key} if key else {}
        token = self._cast.ours.token(role)
        return await self._attacker.ask("POST", path, token=token, json=body, headers=headers)

    async def case(self, order: str, amount_fen: Any = 100, **more: Any) -> httpx2.Response:
        """Ask for a refund, once aftersales knows of the payment."""
        body = {"order_id": order, "kind": "refund", "amount_fen": amount_fen, "buyer_reason": "x"}

        async def answered() -> httpx2.Response | None:
            found = await self.post(Role.AFTERSALES, "/v1/cases", body | more)
            return None if found.status_code == 404 else found

        answer = await eventually(answered, what="the payment in aftersales")
        assert answer is not None
        return answer

    async def approved(self, order: str, amount_fen: int) -> tuple[str, int]:
        """Return an approved case and its version."""
        case = (await self.case(order, amount_fen)).json()["id"]
        body = {"decision": "approve", "note": "x"}
        done = await self.post(Role.SUPERVISOR, f"/v1/cases/{case}/review", body, version=1)
        assert done.status_code == 200, done.text
        return case, int(done.json()["version"])

    async def get(self, path: str) -> Any:
        """Read as the supervisor."""
        return (
            await self._attacker.ask("GET", path, token=self._cast.ours.token(Role.SUPERVISOR))
        ).json()


@pytest.fixture
def desk(attacker: Attacker, cast: Cast) -> Desk:
    """Our shop's desk."""
    return Desk(attacker, cast)


@pytest.fixture
async def order(world: World, cast: Cast) -> str:
    """A paid order of our shop that nobody else has."""
    return await a_paid_order(world, cast.ours.shop(world), buyer=f"tb-{uuid.uuid4().hex[:8]}")


async def test_attack_34_fifty_commands_of_one_key_have_one_effect(
    desk: Desk, order: str, platform: Platform
) -> None:
    await desk.case(order)
    body = {"order_id": order, "kind": "refund", "amount_fen": 100, "buyer_reason": "五十次"}
    key = f"fifty-{uuid.uuid4()}"
    answers = await asyncio.gather(
        *(desk.post(Role.AFTERSALES, "/v1/cases", body, key=key) for _ in range(50))
    )
    counted = Counter(answer.status_code for answer in answers)
    # A pool that is full says so, with a time to come again.
    assert set(counted) <= {201, 409, 503}, counted
    first = [a for a in answers if a.status_code == 201 and "idempotent-replayed" not in a.headers]
    assert len(first) == 1
    for answer in answers:
        if answer.status_code == 409:
            is_problem(answer, 409, "idempotency_in_flight")
            assert answer.headers["retry-after"]
        elif answer.status_code == 503:
            assert answer.headers["retry-after"]
        else:
            assert answer.json()["id"] == first[0].json()["id"]
    made = await watching.rows(
        platform, "select count(*) from aftersales.cases where order_id = $1", order
    )
    assert made[0]["count"] == 2
    again = await desk.post(Role.AFTERSALES, "/v1/cases", body, key=key)
    assert again.headers["idempotent-replayed"] == "true"
    other = await desk.post(Role.AFTERSALES, "/v1/cases", body | {"amount_fen": 99}, key=key)
    is_problem(other, 422, "idempotency_key_reused")


async def test_attack_36_keys_that_are_none_are_refused(attacker: Attacker, cast: Cast) -> None:
    bearer = ("Authorization", f"Bearer {cast.ours.token(Role.ADMIN)}")

    async def made(*keys: str) -> Answer:
        """Make a skill group with these keys."""
        body = json.dumps({"code": f"g{uuid.uuid4().hex[:12]}", "name": "组"}).encode()
        headers = [
            ("Host", "localhost"),
            bearer,
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            *(("Idempotency-Key", key) for key in keys),
        ]
        return await attacker.exchange(head("POST /v1/skill-groups HTTP/1.1", headers, body))

    bad = ("", " ", "x" * 256, "x" * 10_240, "a\tb", "a\x01b", "é", '"', '""', '"a"b"', "\x7f")
    for key in bad:
        is_problem(await made(key), 400)
    is_problem(await made(), 400, "bad_idempotency_key")
    for twice in (("a", "a"), ("a", "b"), ("a", "")):
        is_problem(await made(*twice), 400)
    unique = uuid.uuid4().hex
    for key in (unique.ljust(255, "x"), f'"{unique}"', f"{unique} {unique}"):
        assert (await made(key)).status == 201


async def test_attack_48_a_forged_delivery_is_refused(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    ours, theirs = cast.ours.shop(world), cast.theirs.shop(world)
    path = f"/v1/intake/{ours.id}/orders"
    secret = (await ours.boss.call("GET", f"/v1/intake/{ours.id}/secret"))["secret"]
    foreign = (await theirs.boss.call("GET", f"/v1/intake/{theirs.id}/secret"))["secret"]
    now, body = datetime.now(UTC), delivery("order.placed", placed())

    def right(**change: Any) -> dict[str, str]:
        terms = {"secret": secret, "at": now, "body": body} | change
        return signed(terms["secret"], f"msg_{uuid.uuid4()}", terms["at"], terms["body"])

    good = right()
    forged: list[tuple[dict[str, str], str]] = [
        ({"content-type": "application/json"}, body),
        ({k: v for k, v in good.items() if k != "webhook-signature"}, body),
        ({k: v for k, v in good.items() if k != "webhook-id"}, body),
        ({k: v for k, v in good.items() if k != "webhook-timestamp"}, body),
        (good | {"webhook-signature": "v1,"}, body),
        (good | {"webhook-signature": good["webhook-signature"].replace("v1,", "v2,")}, body),
        (good | {"webhook-signature": good["webhook-signature"][:-2]}, body),
        (good | {"webhook-signature": "v1,x " * 9 + good["webhook-signature"]}, body),
        (good | {"webhook-id": "msg_other"}, body),
        (good | {"webhook-timestamp": str(int(now.timestamp()) + 1)}, body),
        (good, body + " "),
        (good, body.replace(": ", ":")),
        (right(secret=foreign), body),
        (right(at=now - timedelta(minutes=6)), body),
        (right(at=now + timedelta(minutes=6)), body),
        (right() | {"webhook-timestamp": "9" * 40}, body),
    ]
    for headers, sent in forged:
        is_problem(await attacker.ask("POST", path, content=sent, headers=headers), 401)
    taken = await attacker.ask("POST", path, content=body, headers=good)
    again = await attacker.ask("POST", path, content=body, headers=good)
    assert (taken.status_code, again.status_code) == (200, 200), taken.text
    assert again.json() == taken.json()
    assert again.headers["idempotent-replayed"] == "true"


BAD_AMOUNTS: tuple[Any, ...] = (-1, 0, 0.1 + 0.2, "100", None, True, 2**63, 10**11 + 1, [], 1e300)


async def test_attack_50_no_more_goes_back_than_was_paid(
    desk: Desk, order: str, platform: Platform
) -> None:
    for amount in BAD_AMOUNTS:
        is_problem(await desk.case(order, amount), 422)
    is_problem(await desk.case(order, 100, currency="USD"), 422)
    is_problem(await desk.case(order, PAID_FEN + 1), 409, "refund_above_paid")

    answers = await asyncio.gather(*(desk.case(order, PAID_FEN * 2 // 5) for _ in range(6)))
    assert Counter(answer.status_code for answer in answers) == {201: 2, 409: 4}
    [paid] = await watching.rows(
        platform,
        "select paid_fen, reserved_fen, refunded_fen from aftersales.payments where order_id = $1",
        order,
    )
    assert paid["reserved_fen"] + paid["refunded_fen"] <= paid["paid_fen"] == PAID_FEN
    with pytest.raises(Exception, match="check constraint"):
        await watching.rows(
            platform,
            "update aftersales.payments set refunded_fen = paid_fen + 1 where order_id = $1",
            order,
        )


async def test_attack_50_two_refunds_at_once_pay_once_and_none_after_the_end(
    desk: Desk, order: str
) -> None:
    case, version = await desk.approved(order, PAID_FEN)
    path = f"/v1/cases/{case}/refund"
    answers = await asyncio.gather(
        *(desk.post(Role.SUPERVISOR, path, {}, version=version) for _ in range(8))
    )
    counted = Counter(answer.status_code for answer in answers)
    assert counted[200] == 1
    assert set(counted) <= {200, 409, 412}
    is_problem(await desk.case(order, 1), 409, "refund_above_paid")

    async def refunded() -> bool:
        found = await desk.get(f"/v1/orders/{order}")
        return bool(found["refunded_fen"] == PAID_FEN and found["state"] == "closed")

    await eventually(refunded, what="the order closed by its refund")


async def test_attack_51_no_order_and_no_case_takes_a_step_out_of_turn(
    desk: Desk, world: World, cast: Cast
) -> None:
    shop = cast.ours.shop(world)
    told = placed(f"tb-{uuid.uuid4().hex[:8]}")
    order = (await deliver(world, shop, "order.placed", told))["order_id"]

    async def tried(*commands: str) -> None:
        """Assert that the order refuses these commands in the state in which it is."""
        bodies = {
            "address-verification": {"result": "verified"},
            "print": {},
            "close": {"reason": "x"},
        }
        version = (await desk.get(f"/v1/orders/{order}"))["version"]
        for command in commands:
            path = f"/v1/orders/{order}/{command}"
            answer = await desk.post(Role.SUPERVISOR, path, bodies[command], version=version)
            is_problem(answer, 409)

    await tried("address-verification", "print")
    at = datetime.now(UTC).isoformat()
    paid = {"external_id": told["external_id"], "paid_fen": PAID_FEN, "paid_at": at}
    await deliver(world, shop, "order.paid", paid)
    await tried("print", "close")
    path = f"/v1/orders/{order}/address-verification"
    version = (await desk.get(f"/v1/orders/{order}"))["version"]
    verified = await desk.post(Role.SUPERVISOR, path, {"result": "verified"}, version=version)
    assert verified.json()["state"] == "released", verified.text
    await tried("address-verification", "close")
    version = verified.json()["version"]
    printed = await desk.post(Role.CLERK, f"/v1/orders/{order}/print", {}, version=version)
    assert printed.json()["state"] == "printed", printed.text
    await tried("address-verification", "print", "close")

    approve, reject = ({"decision": word, "note": "x"} for word in ("approve", "reject"))
    case = (await desk.case(order, 100)).json()["id"]
    at_case = f"/v1/cases/{case}"
    is_problem(await desk.post(Role.SUPERVISOR, f"{at_case}/refund", {}, version=1), 409)
    done = await desk.post(Role.SUPERVISOR, f"{at_case}/review", approve, version=1)
    version = done.json()["version"]
    for decision in (approve, reject):
        answer = await desk.post(Role.SUPERVISOR, f"{at_case}/review", decision, version=version)
        is_problem(answer, 409)
    done = await desk.post(Role.SUPERVISOR, f"{at_case}/refund", {}, version=version)
    version = done.json()["version"]
    for command, body in (("refund", {}), ("review", approve), ("review", reject)):
        answer = await desk.post(Role.SUPERVISOR, f"{at_case}/{command}", body, version=version)
        is_problem(answer, 409)


async def test_attack_52_who_does_not_say_what_he_read_changes_nothing(
    desk: Desk, order: str
) -> None:
    case = (await desk.case(order)).json()["id"]
    commands: list[tuple[str, Any]] = [
        (f"/v1/orders/{order}/address-verification", {"result": "verified"}),
        (f"/v1/orders/{order}/print", {}),
        (f"/v1/orders/{order}/close", {"reason": "x"}),
        (f"/v1/cases/{case}/review", {"decision": "approve", "note": "x"}),
        (f"/v1/cases/{case}/refund", {}),
    ]
    for path, body in commands:
        for tag in (None, "*"):
            is_problem(await desk.post(Role.SUPERVISOR, path, body, version=tag), 428)
        for tag in ('"0"', '"99"', 'W/"1"', '"1", "2"', "1", "x", '""', '"' + "9" * 30 + '"'):
            is_problem(await desk.post(Role.SUPERVISOR, path, body, version=tag), 412)
    assert (await desk.get(f"/v1/cases/{case}"))["version"] == 1


def _tag(version: int | str) -> str:
    return f'"{version}"' if isinstance(version, int) else version
