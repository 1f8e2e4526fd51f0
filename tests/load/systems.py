"""What is measured: the product and its floors, each ready to take one generator's load.

Product and floors stand on the same broker and the same database; another release has its own. A
system says where it listens, which pairs talk on it, which processes are its own, and how late its
archive was.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from launcher.postgres import addresses
from rehearsal.api import Api, Session
from tests.load.floors import archiver
from tests.load.generator import Pair
from tests.load.processes import Program
from tests.platform import Platform
from tests.world import Person, Shop, World, eventually

PRODUCT: Final = "PeakDesk"
PAIRS: Final = 200
PARTITIONS: Final = 12
AT_ONCE: Final = 3
"""Agents hired at once: each costs two password hashes, and more than so many are refused for five
minutes from an address at which one has timed out."""


class Standing(Protocol):
    """A whole platform that runs, ours or another release's."""

    @property
    def url(self) -> str: ...
    @property
    def admin(self) -> tuple[str, str]: ...
    def pids(self) -> Mapping[str, int]: ...


class System(Protocol):
    """Something that carries chat."""

    @property
    def name(self) -> str: ...
    @property
    def urls(self) -> tuple[str, ...]: ...
    @property
    def pairs(self) -> Sequence[Pair]: ...

    def processes(self) -> Mapping[str, Sequence[int]]:
        """Return the pids by part, broker and database included."""

    async def archive_lag_p99_ms(self, since: float) -> float | None:
        """Return how late the archive was for what was received after `since` (epoch seconds)."""


@dataclass
class Relay:
    """Floor (a): no Kafka, no archive."""

    program: Program
    port: int
    name: str = "floor a: relay"

    @property
    def urls(self) -> tuple[str, ...]:
        return (_socket(self.port),)

    @property
    def pairs(self) -> Sequence[Pair]:
        return _floor_pairs()

    def processes(self) -> Mapping[str, Sequence[int]]:
        return {"gateway": [self.program.pid]}

    async def archive_lag_p99_ms(self, since: float) -> float | None:
        """A relay archives nothing."""


@dataclass
class Floor:
    """Floor (b): the smallest honest gateway and its archive writer."""

    platform: Platform
    gateway: Program
    archiver: Program
    port: int
    dsn: str
    name: str = "floor b: gateway + archiver"

    @property
    def urls(self) -> tuple[str, ...]:
        return (_socket(self.port),)

    @property
    def pairs(self) -> Sequence[Pair]:
        return _floor_pairs()

    def processes(self) -> Mapping[str, Sequence[int]]:
        own = {"gateway": [self.gateway.pid], "archive": [self.archiver.pid]}
        return {**own, **_shared(self.platform)}

    async def archive_lag_p99_ms(self, since: float) -> float | None:
        return await _one(
            self.dsn,
            """
            SELECT percentile_disc(0.99) WITHIN GROUP (
                ORDER BY extract(epoch FROM archived_at) * 1e3 - sent_ns / 1e6)
            FROM floor_archive WHERE sent_ns > $1::float8 * 1e9
            """,
            since,
        )


@dataclass
class Seat:
    """A conversation of the product and the sessions of its two people."""

    conversation: str
    buyer: Session
    agent: Session


@dataclass
class Product:
    """PeakDesk, all five services."""

    platform: Standing
    dsn: str | None
    """Where the archive is looked at; None where its tables are another release's affair."""
    api: Api
    seats: Sequence[Seat]
    name: str = PRODUCT
    doors: Mapping[int, int] = field(default_factory=dict)
    """Port and pid of further gateways."""

    @property
    def pairs(self) -> Sequence[Pair]:
        return [Pair(s.conversation, s.buyer.token, s.agent.token) for s in self.seats]

    async def renew(self) -> None:
        """Trade every token for a fresh one: a bench takes longer than a token lives."""
        for seat in self.seats:
            seat.buyer = await self.api.renew(seat.buyer)
            seat.agent = await self.api.renew(seat.agent)

    @property
    def urls(self) -> tuple[str, ...]:
        return (self.api.socket_url, *map(_socket, self.doors))

    def processes(self) -> Mapping[str, Sequence[int]]:
        services = ("gateway", "conversation", "monitor", "orders", "aftersales")
        pids = self.platform.pids()
        groups = {name: [pids[name]] for name in services}
        groups["gateway"] += self.doors.values()
        return {**groups, **_shared(self.platform)}

    async def archive_lag_p99_ms(self, since: float) -> float | None:
        if self.dsn is None:
            return None
        return await _one(
            self.dsn,
            """
            SELECT percentile_disc(0.99) WITHIN GROUP (
                ORDER BY extract(epoch FROM archived_at - time) * 1e3)
            FROM conversation.messages
            WHERE time > to_timestamp($1) AND sender_kind IS NOT NULL
            """,
            since,
        )


def pids_of(*systems: System) -> Sequence[int]:
    """Return every process that belongs to one of them."""
    return [pid for one in systems for pids in one.processes().values() for pid in pids]


async def relay(stack: AsyncExitStack, port: int) -> Relay:
    """Start floor (a) until the stack is closed."""
    program = Program("tests.load.floors.relay", str(port), port=port)
    return Relay(stack.enter_context(program), port)


async def floor(stack: AsyncExitStack, platform: Platform, port: int) -> Floor:
    """Start floor (b) on a topic and a table of its own, until the stack is closed."""
    kafka = platform.known.bootstrap_servers
    topic = f"floor.{secrets.token_hex(4)}"
    dsn = database_of(platform)
    await _make_topic(kafka, topic)
    # An earlier run's rows have the positions of another topic: they would be taken for repeats.
    await _run(dsn, "DROP TABLE IF EXISTS floor_archive")
    await _run(dsn, archiver.TABLE)
    gateway = Program("tests.load.floors.gateway", str(port), kafka, topic, port=port)
    writer = Program("tests.load.floors.archiver", kafka, topic, dsn)
    return Floor(platform, stack.enter_context(gateway), stack.enter_context(writer), port, dsn)


async def product(
    stack: AsyncExitStack, platform: Standing, *, name: str = PRODUCT, dsn: str | None = None
) -> Product:
    """Seat 200 pairs in a fresh shop of the running platform, until the stack is closed."""
    api = await stack.enter_async_context(Api(platform.url))
    world = World(api, await api.sign_in(*platform.admin))
    stack.push_async_callback(world.close)
    shop = await world.shop()
    turn = asyncio.Semaphore(AT_ONCE)

    async def hire() -> Person:
        async with turn:
            return await world.agent(shop, capacity=1)

    hired = await asyncio.gather(*(hire() for _ in range(PAIRS)))
    agents = {agent.id: agent for agent in hired}
    seats = [await _seat(world, shop, agents) for _ in range(PAIRS)]
    found = Product(platform, dsn, api, seats, name)
    stack.push_async_callback(_leave, found)
    return found


@asynccontextmanager
async def two_gateways(one: Product, platform: Platform) -> AsyncIterator[Product]:
    """Start a second gateway beside the first; buyer and agent of a pair use different ones."""
    start = partial(platform.start_second, "gateway", GATEWAY_ID=f"{platform.known.name}-2")
    door = await asyncio.to_thread(start)
    try:
        doors = {door: platform.pid("gateway-2")}
        yield replace(one, name="PeakDesk, two gateways", doors=doors)
    finally:
        await asyncio.to_thread(platform.drain, "gateway-2")


def database_of(platform: Platform) -> str:
    """Return where the platform's tables are looked at."""
    return addresses.administrator(platform.known, addresses.DATABASE)


async def _leave(product: Product) -> None:
    """Close what was opened and go home: who stays burdens the next run, and waits for ever."""
    await product.renew()
    for seat in product.seats:
        path, token = f"/v1/conversations/{seat.conversation}/close", seat.agent.token
        await product.api.call("POST", path, token=token, body={"reason": "settled"})
        await product.api.call("PUT", "/v1/agents/me/state", token=token, body={"state": "offline"})


async def _seat(world: World, shop: Shop, agents: Mapping[str, Person]) -> Seat:
    """Open a conversation and find out which agent got it."""
    buyer = await world.api.visit(shop.id, "买家")
    opened = await world.api.call("POST", "/v1/conversations", token=buyer.token, body={})
    path = f"/v1/conversations/{opened['id']}"
    seated = await eventually(lambda: shop.boss.call("GET", path), lambda c: c["agent_id"])
    return Seat(opened["id"], buyer, agents[seated["agent_id"]].session)


def _socket(port: int) -> str:
    return f"ws://127.0.0.1:{port}/v1/ws"


def _floor_pairs() -> Sequence[Pair]:
    return [Pair(f"pair-{number}") for number in range(PAIRS)]


def _shared(platform: Standing) -> Mapping[str, Sequence[int]]:
    pids = platform.pids()
    brokers = [pid for name, pid in pids.items() if name.startswith("kafka")]
    return {"kafka": brokers, "postgres": [pids["postgres"]]}


async def _make_topic(kafka: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    finally:
        await admin.close()


async def _run(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _one(dsn: str, question: str, *values: object) -> float | None:
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetchval(question, *values)
    finally:
        await connection.close()
    return None if found is None else float(found)
