"""What simulated buyers bought: the same in every life of the player, told as a shop tells it."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from standardwebhooks import Webhook
from typing_extensions import override

from player.people import Somebody
from player.trade import CHECK_S, Checks, Sales, bought_by, check_address
from rehearsal.api import Api, ApiRefused
from rehearsal.streams import Frame

pytestmark = pytest.mark.unit

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


class Intake(Api):
    """A platform that checks what is delivered as any receiver of Standard Webhooks does."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.refuses: int | None = None

    @override
    async def post(self, path: str, content: bytes, headers: Mapping[str, str]) -> Any:
        assert path == "/v1/intake/shop/orders"
        if self.refuses is not None:
            raise ApiRefused("POST", path, self.refuses, slug="refused")
        self.taken.append(Webhook(SECRET).verify(content, dict(headers)))
        return {}


async def test_a_buyer_who_comes_has_bought_once_however_often_he_comes() -> None:
    intake = Intake()
    sales = Sales(intake, "shop", SECRET)

    for _ in range(3):
        await sales.tell(3, external_id="simulated-03", name="林女士")

    told = [(one["type"], one["data"]["external_id"]) for one in intake.taken]
    assert told == [
        ("order.placed", "SIM03-1"),
        ("order.paid", "SIM03-1"),
        ("order.placed", "SIM03-2"),
        ("order.paid", "SIM03-2"),
    ]
    placed, paid = intake.taken[0]["data"], intake.taken[1]["data"]
    (line,) = placed["lines"]
    assert placed["total_fen"] == paid["paid_fen"] == line["price_fen"] * line["quantity"]
    assert placed["buyer"] == {"external_id": "simulated-03", "name": "林女士"}


async def test_what_could_not_be_told_is_told_when_he_comes_again() -> None:
    intake = Intake()
    sales = Sales(intake, "shop", SECRET)
    intake.refuses = 503
    with pytest.raises(ApiRefused):
        await sales.tell(1, external_id="simulated-01", name="林女士")

    intake.refuses = None
    await sales.tell(1, external_id="simulated-01", name="林女士")

    assert [one["type"] for one in intake.taken] == ["order.placed", "order.paid"]


async def test_what_a_player_before_told_is_known() -> None:
    intake = Intake()
    sales = Sales(intake, "shop", SECRET)
    intake.refuses = 409
    await sales.tell(1, external_id="simulated-01", name="林女士")

    intake.refuses = None
    await sales.tell(1, external_id="simulated-01", name="林女士")

    assert intake.taken == []


def test_some_have_not_paid_and_all_have_bought() -> None:
    everybody = [bought_by(number) for number in range(60)]

    assert [bought_by(number) for number in range(60)] == everybody
    assert {len(orders) for orders in everybody} == {1, 2}
    assert {one.paid for orders in everybody for one in orders} == {True, False}
    ids = [one.external_id for orders in everybody for one in orders]
    assert len(set(ids)) == len(ids)


@dataclass
class Colleague:
    """Somebody who answers from memory."""

    id: str
    said: list[tuple[str, Any, int]] = field(default_factory=list)

    async def call(self, method: str, path: str) -> Any:
        return {"version": 7, "read": f"{method} {path}"}

    async def decide(self, path: str, body: Any, *, version: int) -> None:
        self.said.append((path, body, version))


def _frame(kind: str, **d: Any) -> Frame:
    return Frame(t="ev", s="inbox", type=kind, d=d)


async def test_an_address_is_checked_a_while_after_it_came_to_a_colleague() -> None:
    checks, one = Checks(random.Random(1)), Colleague("one")
    somebody = cast("Somebody", one)
    for number in range(3):
        work = {"work_id": f"w{number}", "order_id": f"o{number}", "agent_id": "one"}
        checks.hear(somebody, _frame("work.assigned.v1", **work), 0.0)
    checks.hear(somebody, _frame("work.settled.v2", work_id="w1", order_id="o1"), 1.0)
    gone = {"work_id": "w2", "order_id": "o2", "agent_id": "two"}
    checks.hear(somebody, _frame("work.assigned.v1", **gone), 1.0)

    assert list(checks.due(CHECK_S[0] - 0.1)) == []
    due = list(checks.due(CHECK_S[1]))
    assert [order for _, order in due] == ["o0"]
    assert list(checks.due(CHECK_S[1])) == []
    await check_address(*due[0])

    assert one.said == [("/v1/orders/o0/address-verification", {"result": "verified"}, 7)]
