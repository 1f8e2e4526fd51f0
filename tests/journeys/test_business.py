"""A paid order becomes work, work releases the order, a refund never exceeds the payment."""

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from contracts.people import Role
from tests.intake import a_paid_order
from tests.web import NO_TLS
from tests.world import Person, World, eventually

pytestmark = pytest.mark.journey


async def command(
    person: Person, path: str, body: dict[str, Any], *, version: int
) -> httpx2.Response:
    """Send a command with `If-Match`."""
    headers = {
        "Authorization": f"Bearer {person.session.token}",
        "If-Match": f'"{version}"',
        "Idempotency-Key": str(uuid4()),
    }
    async with httpx2.AsyncClient(
        base_url=person.api.base_url, trust_env=False, verify=NO_TLS
    ) as http:
        return await http.post(path, json=body, headers=headers)


async def test_a_paid_order_becomes_work_for_an_agent_and_is_released(world: World) -> None:
    shop = await world.shop()
    agent = await world.agent(shop)

    order = await a_paid_order(world, shop)

    work = await agent.event(lambda frame: frame.s == "inbox" and frame.type == "work.assigned.v1")
    assert (work.d["kind"], work.d["order_id"]) == ("verify_address", order)
    before = await agent.call("GET", f"/v1/orders/{order}")
    path = f"/v1/orders/{order}/address-verification"
    answer = await command(agent, path, {"result": "verified"}, version=before["version"])
    assert answer.status_code == 200, answer.text

    after = await agent.call("GET", f"/v1/orders/{order}")
    assert (before["state"], after["state"]) == ("paid", "released")
    await agent.event(lambda frame: frame.s == "inbox" and frame.type == "work.settled.v1")


async def test_a_refund_is_reviewed_paid_once_and_never_above_what_was_paid(world: World) -> None:
    shop = await world.shop()
    order = await a_paid_order(world, shop)
    clerk = await world.staff(shop, Role.AFTERSALES)
    request = {"order_id": order, "kind": "refund", "amount_fen": 30000, "buyer_reason": "尺码不合"}
    case = await eventually(lambda: _open_case(clerk, request), bool)

    reviewed = await command(
        clerk,
        f"/v1/cases/{case['id']}/review",
        {"decision": "approve", "note": "核实过"},
        version=case["version"],
    )
    refunded = await command(
        clerk, f"/v1/cases/{case['id']}/refund", {}, version=reviewed.json()["version"]
    )
    too_much = await _try_case(clerk, request)

    assert (reviewed.status_code, refunded.status_code) == (200, 200), refunded.text
    assert refunded.json()["state"] == "refunded"
    assert too_much.status_code in {409, 422}


async def _open_case(clerk: Person, request: dict[str, Any]) -> dict[str, Any] | None:
    """Ask for a refund; None until aftersales knows of the payment."""
    answer = await _try_case(clerk, request)
    if answer.status_code == 404:
        return None
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def _try_case(clerk: Person, request: dict[str, Any]) -> httpx2.Response:
    headers = {
        "Authorization": f"Bearer {clerk.session.token}",
        "Idempotency-Key": str(uuid4()),
    }
    async with httpx2.AsyncClient(
        base_url=clerk.api.base_url, trust_env=False, verify=NO_TLS
    ) as http:
        return await http.post("/v1/cases", json=request, headers=headers)
