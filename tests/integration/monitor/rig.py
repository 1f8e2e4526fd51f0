"""A monitor's world: a log of its own on the real broker, a database of its own, monitors to run.

Tests write facts on the log as gateways and the conversation service do, and look at what the
monitor answers over REST, on its topics and in its tables.
"""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx2
from pydantic import SecretStr
from sqlalchemy import text

from contracts import decode
from contracts.base import Event
from contracts.conversation import (
    AgentStateChanged,
    ShopListed,
)
from contracts.gateway import MessageHeld, WordingHit
from contracts.monitor import BoardPublished
from contracts.people import (
    AgentState,
    ConversationId,
    PersonId,
    Role,
    ShopId,
)
from contracts.topics import ALERTS, BOARD, CHAT, DIRECTORY, INCIDENTS, STAFF
from kit.bus.kafka import KafkaBus, NewTopic, create_topics
from kit.bus.ports import Message, Record, message_of
from kit.clock import SystemClock
from kit.ids import Uuid7Ids
from kit.postgres import Database
from kit.process import Addresses, running
from kit.web.auth import (
    KeyPair,
    ServiceTokens,
    TokenIssuer,
    generate_keypair,
)
from services.monitor import app
from services.monitor.recount.commands import recompute
from services.monitor.recount.service import Report
from services.monitor.settings import Settings
from tests import infrastructure, noon
from tests.infrastructure import Infrastructure, TestDatabase
from tests.integration.monitor.chats import NOON, Chat
from tests.waiting import eventually
from tests.web import NO_TLS

PARTITIONS = 4
TOPICS = (CHAT, DIRECTORY, STAFF, INCIDENTS, ALERTS, BOARD)
GROUPS = ("monitor.alerts", "monitor.fold", "monitor.incidents", "monitor.staff")
DAY = date(2026, 11, 11)
AS_GOOD_AS_EVER = 36_500
FOLDED_S = 60.0
"""No promise: a busy machine's monitor that Kafka took for lost comes back after its session's 10 s
and a rebalance of up to 20 s, maybe twice."""

_OVER = """
    select bool_and(caught_up_ms >= :midnight) from conversations join partitions using (partition)
    where shop_id = :shop
"""


@dataclass
class Shop:
    """A shop of a test."""

    rig: "Rig"
    id: ShopId

    async def listed(self, **changes: Any) -> Self:
        """Put the shop's entry on the directory."""
        await self.rig.produce(
            ShopListed(
                id=self.rig.ids.new(),
                time=NOON,
                shop_id=self.id,
                **({"name": "小店", "version": 1} | changes),
            )
        )
        return self

    def chat(self, agent_id: str = "anne", start: datetime = NOON) -> Chat:
        """Return a new conversation, not told yet."""
        return Chat(
            self.rig,
            self.id,
            PersonId(f"{self.id}-{agent_id}"),
            ConversationId(self.rig.ids.new()),
            PersonId(self.rig.ids.new()),
            start,
        )

    def token(self, role: Role = Role.SUPERVISOR, subject: str = "sue") -> str:
        """Return a token of somebody of this shop."""
        issuer = TokenIssuer(self.rig.keys.private, SystemClock())
        return issuer.issue(
            subject=f"{self.id}-{subject}", role=role.value, shop_id=self.id, name="小苏"
        )

    async def agent_is(self, state: AgentState, agent_id: str = "anne", version: int = 1) -> None:
        """Tell the topic staff."""
        await self.rig.produce(self.state_of(state, agent_id, version))

    def state_of(
        self, state: AgentState, agent_id: str = "anne", version: int = 1
    ) -> AgentStateChanged:
        """Return what the topic staff is told of an agent who was away before."""
        return AgentStateChanged(
            id=self.rig.ids.new(),
            time=NOON,
            shop_id=self.id,
            agent_id=PersonId(f"{self.id}-{agent_id}"),
            name="安妮",
            role=Role.AGENT,
            state=state,
            previous=AgentState.OFFLINE,
            since=NOON,
            reason="own_choice",
            version=version,
        )

    async def held(self, words: str) -> MessageHeld:
        """Tell the topic of incidents that the gate kept a message back."""
        hit = WordingHit(
            category="insult",
            severity="high",
            term_id="t1",
            start=0,
            end=len(words),
            surface=words,
            normalised=words,
            why="literal",
            action="block",
        )
        event = MessageHeld(
            id=self.rig.ids.new(),
            time=datetime.now(UTC),
            shop_id=self.id,
            conversation_id=ConversationId(self.rig.ids.new()),
            agent_id=PersonId(f"{self.id}-anne"),
            client_id="c1",
            action="block",
            text=words,
            hits=(hit,),
            lexicon_version="1",
            policy_version="1",
        )
        await self.rig.produce(event)
        return event


@dataclass
class Monitor:
    """One running monitor."""

    rig: "Rig"
    addresses: Addresses

    async def get(self, path: str, token: str, **query: Any) -> httpx2.Response:
        """Ask over REST."""
        async with _client(self.addresses.http) as door:
            headers = {"Authorization": f"Bearer {token}"}
            return await door.get(path, params=query, headers=headers)

    async def post(
        self, path: str, token: str, body: dict[str, Any], *, key: str = ""
    ) -> httpx2.Response:
        """Command over REST; with a key of its own unless one is given."""
        async with _client(self.addresses.http) as door:
            headers = {
                "Authorization": f"Bearer {token}",
                "Idempotency-Key": key or secrets.token_hex(8),
            }
            return await door.post(path, json=body, headers=headers)

    async def command(
        self,
        method: str,
        path: str,
        token: str,
        *,
        body: dict[str, Any] | None = None,
        version: int | None = None,
    ) -> httpx2.Response:
        """Command over REST by any method, on a version if one is named."""
        async with _client(self.addresses.http) as door:
            headers = {"Authorization": f"Bearer {token}"}
            if version is not None:
                headers["If-Match"] = f'"{version}"'
            return await door.request(method, path, json=body, headers=headers)

    async def metric(self, series: str) -> float:
        """Return what one series stands at, 0 if nobody has counted it yet."""
        async with _client(self.addresses.admin) as door:
            rows = (await door.get("/metrics")).text.splitlines()
        return sum(float(row.split()[-1]) for row in rows if row.startswith(f"{series} "))

    async def shop_at_noon(self, **changes: Any) -> Shop:
        """Return a shop in which it is noon now; the monitor knows. What is said is of one day."""
        zone = noon.zone()
        shop = await self.rig.shop().listed(time_zone=zone, **changes)

        async def known() -> bool:
            asked = {"profile": "qiyu", "from": f"{DAY}", "to": f"{DAY + timedelta(days=1)}"}
            answer = await self.get("/v1/monitor/figures", shop.token(), shop=shop.id, **asked)
            return bool(answer.raise_for_status().json()["time_zone"] == zone)

        await eventually(known, what="the shop's time zone")
        return shop

    async def inside(self, path: str) -> httpx2.Response:
        """Ask the admin port as a neighbour does."""
        issuer = ServiceTokens(self.rig.service_keys.private, "gateway", SystemClock())
        token = issuer.current()
        async with _client(self.addresses.admin) as door:
            return await door.get(path, headers={"Authorization": f"Bearer {token}"})


@dataclass
class Rig:
    """The world of one module."""

    bus: KafkaBus
    made: TestDatabase
    database: Database
    settings: Settings
    keys: KeyPair
    service_keys: KeyPair
    ids: Uuid7Ids
    _shops: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.producer = self.bus.producer()

    def shop(self) -> Shop:
        """Return a shop that no other test has."""
        return Shop(self, ShopId(f"shop-{next(self._shops)}"))

    async def now(self) -> datetime:
        """Return the time, in whole seconds."""
        return datetime.now(UTC).replace(microsecond=0)

    async def produce(self, *events: Event) -> None:
        """Write events on their topics."""
        for event in events:
            await self.producer.send(message_of(event))

    async def raw(self, topic: str, key: str, value: bytes, headers: Sequence[Any] = ()) -> None:
        """Write anything."""
        await self.producer.send(Message(topic, key.encode(), value, tuple(headers)))

    async def produce_again(self, record: Record) -> None:
        """Write a record once more, as a replay does."""
        await self.producer.send(
            Message(record.topic, record.key or b"", record.value, record.headers)
        )

    @contextlib.asynccontextmanager
    async def monitor(self, **changes: Any) -> AsyncIterator[Monitor]:
        """Run a monitor."""
        built = app.build(self.settings.model_copy(update=changes))
        async with running(built.app()) as addresses:
            yield Monitor(self, addresses)

    async def recomputed(self, **changes: Any) -> Report:
        """Fold the log offline and compare with what is stored, as an operator's command does."""
        service = app.opened(self.settings.model_copy(update=changes))
        try:
            return await recompute(service)
        finally:
            await service.close()

    async def folded(self) -> None:
        """Return as soon as everything on the log is folded."""
        reader = self.bus.reader([CHAT.name])
        await reader.start()
        try:
            ends = await reader.end_offsets(reader.assignment())
        finally:
            await reader.stop()
        wanted = {tp.partition: end for tp, end in ends.items() if end}

        async def arrived() -> bool:
            found = dict(await self.rows("select partition, next_offset from positions"))
            return all(found.get(partition, 0) >= end for partition, end in wanted.items())

        await eventually(arrived, within=FOLDED_S, what="the whole log is folded")

    async def day_over(self, shop: Shop) -> None:
        """Return as soon as what was said in a shop is folded through the end of `DAY`."""
        await self.folded()
        midnight_ms = round((NOON + timedelta(hours=12)).timestamp() * 1000)

        async def passed() -> bool:
            return (await self.rows(_OVER, shop=shop.id, midnight=midnight_ms)) == [(True,)]

        await eventually(passed, within=FOLDED_S, what="the day is over in the shop's partitions")

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Look into the monitor's tables."""
        async with self.database.read_across("a test") as session:
            return [tuple(row) for row in await session.execute(text(statement), values)]

    async def change(self, statement: str, **values: Any) -> None:
        """Change the monitor's tables behind its back."""
        async with self.database.write_across("a test") as session:
            await session.execute(text(statement), values)

    @contextlib.asynccontextmanager
    async def watching(self, topic: str) -> AsyncIterator[list[Event]]:
        """Collect what comes on a topic from now on."""
        seen: list[Event] = []
        reader = self.bus.reader([topic])
        await reader.start()
        for tp, end in (await reader.end_offsets(reader.assignment())).items():
            reader.seek(tp, end)

        async def collect() -> None:
            while True:
                for records in (await reader.getmany(50)).values():
                    seen.extend(decode(record) for record in records)

        task = asyncio.create_task(collect())
        try:
            yield seen
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await reader.stop()


@contextlib.asynccontextmanager
async def monitoring(
    infra: Infrastructure, kafka_prefix: str, lexicon: Path | None = None
) -> AsyncIterator[Rig]:
    """Make a log and a database that nobody else uses; `lexicon` is a copy of the shipped one."""
    fresh = await infrastructure.create_database(infra)
    bus = await _bus(infra, f"{kafka_prefix}{secrets.token_hex(3)}.")
    rig = await _rig(infra, fresh, bus)
    if lexicon is not None:
        rig.settings = rig.settings.model_copy(update={"lexicon_folder": str(lexicon)})
    await rig.producer.start()
    try:
        yield rig
    finally:
        await rig.producer.stop()
        await bus.close()
        await rig.database.close()
        await infrastructure.drop_database(infra, fresh.name)


def boards_of(seen: Sequence[Event], shop: Shop) -> list[BoardPublished]:
    """Return the boards of a shop among events."""
    return [e for e in seen if isinstance(e, BoardPublished) and e.shop_id == shop.id]


def _client(address: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=address, timeout=10, trust_env=False, verify=NO_TLS)


async def _bus(infra: Infrastructure, prefix: str) -> KafkaBus:
    bus = KafkaBus(infra.bootstrap_servers, prefix=prefix, client_id="monitor-tests")
    topics = [NewTopic(topic.name, min(PARTITIONS, topic.partitions[0])) for topic in TOPICS]
    topics += [NewTopic(f"dead.{group}", 1) for group in GROUPS]
    await create_topics(bus.connection, topics)
    return bus


async def _rig(infra: Infrastructure, fresh: TestDatabase, bus: KafkaBus) -> Rig:
    await fresh.migrate("monitor")
    keys, service_keys, clock = generate_keypair(), generate_keypair(), SystemClock()
    settings = Settings(
        bootstrap_servers=infra.bootstrap_servers,
        kafka_topic_prefix=bus.connection.prefix,
        database_url=fresh.dsn("monitor"),
        token_public_key=keys.public,
        service_public_key=service_keys.public,
        cursor_secret=SecretStr("a cursor secret of at least 32 bytes"),
        # Facts of tests are of one day, whatever day it is when they run.
        figures_kept_days=AS_GOOD_AS_EVER,
        evidence_kept_days=AS_GOOD_AS_EVER,
        alerts_kept_days=AS_GOOD_AS_EVER,
    )
    database = Database(fresh.dsn("monitor"), schema="monitor", name="monitor-tests")
    return Rig(bus, fresh, database, settings, keys, service_keys, Uuid7Ids(clock))
