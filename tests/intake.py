"""A shop's platform as seen from outside: it tells of orders and payments in signed deliveries."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
from standardwebhooks import Webhook

from tests.web import NO_TLS
from tests.world import Shop, World

PAID_FEN = 39_900


async def deliver(world: World, shop: Shop, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Send a signed delivery as the shop's platform would."""
    secret = await shop.boss.call("GET", f"/v1/intake/{shop.id}/secret")
    body = delivery(kind, data)
    headers = signed(secret["secret"], f"msg_{uuid4()}", datetime.now(UTC), body)
    async with httpx2.AsyncClient(
        base_url=world.api.base_url, trust_env=False, verify=NO_TLS
    ) as http:
        answer = await http.post(f"/v1/intake/{shop.id}/orders", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


def delivery(kind: str, data: dict[str, Any]) -> str:
    """Return the body of a delivery."""
    stamp = datetime.now(UTC).isoformat()
    return json.dumps({"type": kind, "timestamp": stamp, "data": data})


def signed(secret: str, name: str, at: datetime, body: str) -> dict[str, str]:
    """Return the headers of Standard Webhooks, as that library makes them."""
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, at, body),
        "content-type": "application/json",
    }


def placed(buyer: str = "tb-lin", **changes: Any) -> dict[str, Any]:
    """Return what a platform says of a new order of its buyer `buyer`."""
    return {
        "external_id": f"T{uuid4().hex[:12]}",
        "buyer": {"external_id": buyer, "name": "林女士"},
        "address": {
            "name": "林女士",
            "phone": "13800138000",
            "text": "浙江省杭州市西湖区文三路1号",
        },
        "lines": [{"sku": "K-1", "title": "羽绒服", "quantity": 1, "price_fen": PAID_FEN}],
        "total_fen": PAID_FEN,
        "placed_at": datetime.now(UTC).isoformat(),
        **changes,
    }


async def a_paid_order(world: World, shop: Shop, *, buyer: str = "tb-lin") -> str:
    """Let the shop's platform tell of an order and its payment; return the order's id."""
    order = placed(buyer)
    await deliver(world, shop, "order.placed", order)
    paid = {
        "external_id": order["external_id"],
        "paid_fen": PAID_FEN,
        "paid_at": datetime.now(UTC).isoformat(),
    }
    receipt = await deliver(world, shop, "order.paid", paid)
    return str(receipt["order_id"])
