"""The orders and aftersales services on real Kafka and PostgreSQL, with the people who use them.

Tests act through HTTP and look at answers and at the log. The conversation service is played by
`Trade.tell`.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import itertools
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx2
from pydantic import SecretStr
from sqlalchemy import text

from contracts import Event, decode
from contracts.people import PersonId, Role
from contracts.topics import CASES, DEAD_PREFIX, DIRECTORY, ORDERS, WORK
from contracts.work import WorkAssigned, WorkOpened, WorkSettled
from kit.bus.kafka import KafkaBus, NewTopic, create_topics
from kit.bus.ports import message_of
from kit.clock import SystemClock
from kit.ids import Uuid7Ids, derived_id
from kit.postgres import Database
from kit.process import running
from kit.settings import ServiceSettings
from kit.web.auth import KeyPair, TokenIssuer, generate_keypair
from services.aftersales import app as aftersales_app
from services.aftersales.settings import Settings as AftersalesSettings
from services.orders import app as orders_app
from services.orders.settings import Settings as OrdersSettings
from tests.infrastructure import Infrastructure, TestDatabase
from tests.waiting import eventually
from tests.web import NO_TLS

E = TypeVar("E", bound=Event)

MASTER_KEY = "the master key of the intake, for tests"
GROUPS = ("orders.settlements", "aftersales.tasks", "aftersales.payments")
ADDRESS = {
    "name": "陈小平",
    "phone": "13812348000",
    "text": "浙江省杭州市西湖区文三路 90 号 3 栋 1201",
}

_NUMBERS = itertools.count(1)


@dataclass
class Person:
    """Somebody with a token. Paths go to the service that answers them."""

    trade: "Trade"
    id: str
    role: Role
    shop_id: str
    sid: str = ""

    async def get(self, path: str, **query: Any) -> httpx2.Response:
        """Read as this person."""
        door = self.trade.door(path)
        return await door.get(path, params=query, headers=self.headers())

    async def post(
        self, path: str, body: Any = None, *, key: str = "", if_match: int | str | None = None
    ) -> httpx2.Response:
        """Command as this person, with a fresh Idempotency-Key unless one is given."""
        headers = {**self.headers(), "Idempotency-Key": key or self.trade.ids.new()}
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"' if isinstance(if_match, int) else if_match
        return await self.trade.door(path).post(path, json=body or {}, headers=headers)

    def headers(self) -> dict[str, str]:
        """Return the header that says who calls."""
        issuer = TokenIssuer(self.trade.keys.private, SystemClock())
        token = issuer.issue(
            subject=self.id,
            role=self.role.value,
            shop_id=self.shop_id,
            name=f"{self.role} 小陈",
            sid=self.sid,
        )
        return {"Authorization": f"Bearer {token}"}


@dataclass
class Shop:
    """A shop with its staff, its buyers and its platform, which signs deliveries."""

    trade: "Trade"
    id: str

    def person(self, role: Role) -> Person:
        """Return a new member of the staff."""
        ids = self.trade.ids
        return Person(self.trade, ids.new(), role, self.id, sid=ids.new())

    def buyer(self, external_id: str) -> Person:
        """Return the buyer whom the platform knows by that id."""
        return Person(self.trade, derived_id("buyer", self.id, external_id), Role.BUYER, self.id)

    @property
    def secret(self) -> bytes:
        """The key that the shop signs with, as GET /v1/intake/{shop}/secret would show it."""
        master = MASTER_KEY.encode()
        return hmac.digest(master, b"peakdesk.intake\n" + self.id.encode(), hashlib.sha256)

    async def deliver(self, delivery: Mapping[str, Any], **changes: Any) -> httpx2.Response:
        """Deliver as the platform does. Changes: webhook_id, off, at, body, signature..."""
        body = changes.get("body", json.dumps(delivery, ensure_ascii=False).encode())
        webhook_id = changes.get("webhook_id", f"msg_{secrets.token_hex(8)}")
        clock = datetime.now(UTC) + changes.get("off", timedelta())
        at = changes.get("at", int(clock.timestamp()))
        signed = f"{webhook_id}.{at}.".encode() + changes.get("signed_body", body)
        tag = hmac.digest(changes.get("secret", self.secret), signed, hashlib.sha256)
        headers = {
            "content-type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(at),
            "webhook-signature": changes.get("signature", f"v1,{base64.b64encode(tag).decode()}"),
        }
        path = f"/v1/intake/{changes.get('to', self.id)}/orders"
        return await self.trade.orders.post(path, content=body, headers=headers)

    def placed(self, buyer: str = "tb-1", **changes: Any) -> dict[str, Any]:
        """Return the delivery of a new order."""
        data = {
            "external_id": f"tb-{next(_NUMBERS)}-{secrets.token_hex(3)}",
            "buyer": {"external_id": buyer, "name": "陈小平"},
            "address": ADDRESS,
            "lines": [
                {"sku": "YRF-M-BK", "title": "轻薄羽绒服", "quantity": 1, "price_fen": 25_900}
            ],
            "total_fen": 25_900,
            "placed_at": "2026-11-11T00:03:21.417Z",
        }
        return {"type": "order.placed", "timestamp": "2026-11-11T00:03:21Z", "data": data | changes}

    def paid(self, external_id: str, paid_fen: int = 25_900) -> dict[str, Any]:
        """Return the delivery of a payment."""
        data = {
            "external_id": external_id,
            "paid_fen": paid_fen,
            "paid_at": "2026-11-11T00:04:02.000Z",
        }
        return {"type": "order.paid", "timestamp": "2026-11-11T00:04:02Z", "data": data}

    async def order(self, *, paid_fen: int = 25_900, buyer: str = "tb-1") -> str:
        """Place and pay an order; return its id."""
        delivery = self.placed(buyer)
        placed = await self.deliver(delivery)
        assert placed.status_code == 200, placed.text
        paid = await self.deliver(self.paid(delivery["data"]["external_id"], paid_fen))
        assert paid.status_code == 200, paid.text
        return str(paid.json()["order_id"])


@dataclass
class Trade:
    """Both services, running."""

    orders: httpx2.AsyncClient
    aftersales: httpx2.AsyncClient
    bus: KafkaBus
    keys: KeyPair
    databases: Mapping[str, Database]
    settings: Mapping[str, ServiceSettings]
    ids: Uuid7Ids = field(default_factory=lambda: Uuid7Ids(SystemClock()))
    log: list[Event] = field(default_factory=list)

    def shop(self) -> Shop:
        """Return a shop that nobody else has."""
        return Shop(self, f"shop-{secrets.token_hex(4)}")

    def door(self, path: str) -> httpx2.AsyncClient:
        """Return the service that answers this path."""
        heads = ("/v1/cases", "/v1/work", "/v1/audit/aftersales")
        return self.aftersales if path.startswith(heads) else self.orders

    async def events(self, kind: type[E], key: str, *, count: int = 1) -> list[E]:
        """Return the events of that kind and key in the log, once there are `count` of them."""

        def found() -> list[E]:
            told = [event for event in self.log if isinstance(event, kind) and event.key == key]
            return told if len(told) >= count else []

        return await eventually(found, what=f"{count} {kind.__name__} of {key}")

    def told(self, key: str) -> list[str]:
        """Return the types of all events of a key so far, in the log's order."""
        return [event.type for event in self.log if event.key == key]

    async def assign(
        self, order_id: str, agent: Person, *, also: Person | None = None, version: int = 1
    ) -> WorkOpened:
        """Play the conversation service: give the order's open work to the agent, or to two."""

        def found() -> WorkOpened | None:
            over = {e.work_id for e in self.log if isinstance(e, WorkSettled)}
            told = [e for e in self.log if isinstance(e, WorkOpened) and e.order_id == order_id]
            return next((e for e in told if e.work_id not in over), None)

        opened = await eventually(found, what=f"work.opened of {order_id}")
        assert opened is not None
        assigned = WorkAssigned(
            id=self.ids.new(),
            time=SystemClock().now(),
            shop_id=opened.shop_id,
            work_id=opened.work_id,
            agent_id=PersonId(agent.id),
            also=None if also is None else PersonId(also.id),
            kind=opened.kind,
            order_id=opened.order_id,
            due_at=opened.due_at,
            version=version,
        )
        await self.tell(assigned)
        await eventually(lambda: self._knows(assigned), what="the assignment")
        return opened

    async def _knows(self, assigned: WorkAssigned) -> bool:
        query = text("select 1 from work where work_id = :work and version = :version")
        wanted = {"work": assigned.work_id, "version": assigned.version}
        async with self.databases["orders"].read_across("a test") as session:
            return (await session.execute(query, wanted)).scalar() is not None

    async def audited(self, shop_id: str, service: str = "orders") -> list[tuple[str, str]]:
        """Return the (action, actor) pairs of a shop's audit, oldest first."""
        query = text("select action, actor_id from audit where shop_id = :shop order by id")
        async with self.databases[service].read_across("a test") as session:
            found = await session.execute(query, {"shop": shop_id})
        return [(row.action, row.actor_id) for row in found]

    async def tell(self, *events: Event) -> None:
        """Produce events as another service would."""
        producer = self.bus.producer()
        await producer.start()
        try:
            for event in events:
                await producer.send(message_of(event))
        finally:
            await producer.stop()


@contextlib.asynccontextmanager
async def trading(
    infra: Infrastructure,
    database: TestDatabase,
    prefix: str,
    *,
    orders: Mapping[str, Any] | None = None,
    **aftersales: Any,
) -> AsyncIterator[Trade]:
    """Run both services under a topic prefix of their own, with these settings of either."""
    prefix = f"{prefix}{secrets.token_hex(3)}."
    keys = generate_keypair()
    bus = KafkaBus(infra.bootstrap_servers, prefix=prefix, client_id="trade-tests")
    names = [topic.name for topic in (ORDERS, CASES, WORK)]
    dead = [NewTopic(DEAD_PREFIX + group, 1) for group in GROUPS]
    wanted = [*(NewTopic(name, 3) for name in names), *dead, NewTopic(DIRECTORY.name, 1)]
    await create_topics(bus.connection, wanted)
    shared: dict[str, Any] = {
        "bootstrap_servers": infra.bootstrap_servers,
        "kafka_topic_prefix": prefix,
        "token_public_key": keys.public,
        "log_level": "WARNING",
    }
    for service in ("orders", "aftersales"):
        await database.migrate(service)
    for_orders = OrdersSettings(
        **shared,
        database_url=database.dsn("orders"),
        intake_master_key=SecretStr(MASTER_KEY),
        **(orders or {}),
    )
    for_cases = AftersalesSettings(**shared, database_url=database.dsn("aftersales"), **aftersales)
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(running(orders_app.build(for_orders).app()))
        second = await stack.enter_async_context(running(aftersales_app.build(for_cases).app()))
        trade = Trade(
            await stack.enter_async_context(_client(first.http)),
            await stack.enter_async_context(_client(second.http)),
            bus,
            keys,
            {
                name: Database(database.dsn(name), schema=name, pool_size=2)
                for name in ("orders", "aftersales")
            },
            {"orders": for_orders, "aftersales": for_cases},
        )
        for opened in trade.databases.values():
            stack.push_async_callback(opened.close)
        stack.push_async_callback(bus.close)
        await stack.enter_async_context(_following(trade, names))
        yield trade


def _client(address: str) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=100)
    return httpx2.AsyncClient(base_url=address, timeout=20, limits=limits, verify=NO_TLS)


@contextlib.asynccontextmanager
async def _following(trade: Trade, topics: list[str]) -> AsyncIterator[None]:
    """Keep `trade.log` up with the topics."""
    reader = trade.bus.reader(topics)
    await reader.start()

    async def follow() -> None:
        while True:
            for records in (await reader.getmany(100)).values():
                trade.log.extend(decode(record) for record in records if record.value)

    following = asyncio.create_task(follow())
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await reader.stop()
