"""What simulated buyers bought, told as a shop's platform tells it, and the checks that come of it.

Follows from a buyer's number, so that a player who begins anew adds nothing. Must not know who
speaks with whom.
"""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from player.people import Somebody
from rehearsal.api import Api, ApiRefused
from rehearsal.streams import Frame

GOODS: Final = (
    ("PD-101", "连帽卫衣 灰 L", 19_900),
    ("PD-102", "羽绒服 黑 M", 59_900),
    ("PD-103", "保温杯 500ml", 8_900),
    ("PD-104", "运动袜 三双装", 3_900),
)
PLACES: Final = (
    "浙江省杭州市西湖区文三路100号3楼",
    "上海市浦东新区世纪大道1号",
    "广东省深圳市南山区科技园路8号",
)
PHONES: Final = 13_800_000_000
"""Simulated numbers begin here; nobody is called."""

UNPAID_EVERY: Final = 4
"""Every so manieth buyer has not paid yet."""
TWO_EVERY: Final = 3
"""Every so manieth has bought twice."""

CHECK_S: Final = (45.0, 120.0)
"""A colleague checks an address so long after it came to him, so that it is seen before."""
CHECKS_LIMIT: Final = 200
"""Checks that wait at once: each buyer has two orders at most."""


@dataclass(frozen=True, slots=True)
class Bought:
    """One order of a simulated buyer."""

    external_id: str
    sku: str
    title: str
    price_fen: int
    quantity: int
    paid: bool

    @property
    def total_fen(self) -> int:
        """The sum of its line."""
        return self.price_fen * self.quantity


def bought_by(number: int) -> Sequence[Bought]:
    """Return what a buyer bought: one thing, or two."""
    count = 2 if number % TWO_EVERY == 0 else 1
    made = []
    for place in range(count):
        sku, title, price_fen = GOODS[(number + place) % len(GOODS)]
        paid = place > 0 or number % UNPAID_EVERY != 0
        name = f"SIM{number:02d}-{place + 1}"
        made.append(Bought(name, sku, title, price_fen, 1 + number % 2, paid))
    return made


class Sales:
    """The shop's platform: tells the orders of a buyer who comes for the first time."""

    def __init__(self, api: Api, shop_id: str, secret: str) -> None:
        self._api, self._shop_id = api, shop_id
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._told: set[int] = set()

    async def tell(self, number: int, *, external_id: str, name: str) -> None:
        """Tell what he bought, unless it is known. Raises `ApiRefused`, and what a request does."""
        if number in self._told:
            return
        try:
            await self._orders(number, external_id=external_id, name=name)
        except ApiRefused as refusal:
            # A player before this one told it, at another time.
            if refusal.status != HTTPStatus.CONFLICT:
                raise
        self._told.add(number)

    async def _orders(self, number: int, *, external_id: str, name: str) -> None:
        for one in bought_by(number):
            at = datetime.now(UTC)
            placed = {
                "external_id": one.external_id,
                "buyer": {"external_id": external_id, "name": name},
                "address": {
                    "name": name,
                    "phone": str(PHONES + number),
                    "text": PLACES[number % len(PLACES)],
                },
                "lines": [
                    {
                        "sku": one.sku,
                        "title": one.title,
                        "quantity": one.quantity,
                        "price_fen": one.price_fen,
                    }
                ],
                "total_fen": one.total_fen,
                "placed_at": at.isoformat(),
            }
            await self._deliver("order.placed", placed, at)
            if one.paid:
                paid = {
                    "external_id": one.external_id,
                    "paid_fen": one.total_fen,
                    "paid_at": at.isoformat(),
                }
                await self._deliver("order.paid", paid, at)

    async def _deliver(self, kind: str, data: Mapping[str, Any], at: datetime) -> None:
        name = f"{data['external_id']}-{kind}"
        body = json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}).encode()
        stamp = str(int(at.timestamp()))
        signed = hmac.digest(self._key, f"{name}.{stamp}.".encode() + body, hashlib.sha256)
        headers = {
            "webhook-id": name,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        }
        await self._api.post(f"/v1/intake/{self._shop_id}/orders", body, headers)


@dataclass(slots=True)
class Checks:
    """Addresses that simulated colleagues have to check, as their inboxes tell."""

    rng: random.Random
    _waiting: dict[str, tuple[float, Somebody, str]] = field(default_factory=dict)

    def hear(self, somebody: Somebody, frame: Frame, now: float) -> None:
        """Take a frame of a colleague's inbox: work that came to him, or left him."""
        d: Any = frame.d if isinstance(frame.d, dict) else {}
        work, order = str(d.get("work_id", "")), str(d.get("order_id") or "")
        if frame.type == "work.assigned.v1" and d.get("agent_id") == somebody.id and order:
            if len(self._waiting) < CHECKS_LIMIT:
                due = now + self.rng.uniform(*CHECK_S)
                self._waiting[work] = (due, somebody, order)
        elif frame.type in {"work.assigned.v1", "work.settled.v1", "work.settled.v2"}:
            self._waiting.pop(work, None)

    def due(self, now: float) -> Iterator[tuple[Somebody, str]]:
        """Yield who checks the address of which order now, each once."""
        for work, (at, somebody, order) in list(self._waiting.items()):
            if at <= now:
                del self._waiting[work]
                yield somebody, order


async def check_address(somebody: Somebody, order_id: str) -> None:
    """Find the address right, as a colleague who asked the buyer. Raises `ApiRefused`."""
    order = await somebody.call("GET", f"/v1/orders/{order_id}")
    path = f"/v1/orders/{order_id}/address-verification"
    await somebody.decide(path, {"result": "verified"}, version=int(order["version"]))
