"""Things that go on and are not as they should be: poison, slow readers, a lagging archive.

Each presses on the platform for a while, looks that it bends as promised, and says until when.
"""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

import asyncpg
import httpx2

from contracts.gateway import ChatMessage
from contracts.people import ConversationId, PersonId, Role, SenderKind, ShopId
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Message, message_of
from kit.bus.resting import IN_A_ROW
from kit.ids import derived_id
from launcher import deadletters
from launcher.postgres import addresses
from rehearsal.client import Client
from tests.faults.network import Network
from tests.faults.stage import Act, Outage, Stage
from tests.platform import Platform
from tests.waiting import eventually
from tests.web import NO_TLS

SLOW_READERS: Final = 10
"""Against the rehearsal's hundred sockets at 40 messages a second."""

CROWD: Final = 40
"""Visitors with one poison each: twice as many as may be set aside in a row."""

ARCHIVE: Final = "conversation.archive"
RED_WITHIN_S: Final = 30.0
WELL_WITHIN_S: Final = 40.0
"""A rest, a trial, and whatever else shares the machine."""

_MESSAGES: Final = "alter table conversation.messages"

TALKERS: Final = 6
SAYS_EVERY_S: Final = 0.15
GROWTH_LIMIT_BYTES: Final = 48 * 1024 * 1024
"""What the gateway may grow by beside its ring: each reader's queue ends at 1 MiB."""

TOO_SLOW: Final = 4001


# -- poison -------------------------------------------------------------------------------------


async def poison(stage: Stage) -> Outage:
    """Put records of eight kinds into the log that no consumer can take, twice each."""
    bus = KafkaBus(stage.platform.known.bootstrap_servers, client_id="peakdesk-poison")
    producer = bus.producer()
    await producer.start()
    broken_at = time.monotonic()
    try:
        for record in (*_eight_kinds(stage), *_eight_kinds(stage)):
            stage.planted.add(await producer.send(record))
            await asyncio.sleep(0.1)
    finally:
        await producer.stop()
        await bus.close()
    return Outage(broken_at, time.monotonic())


async def crowd(stage: Stage) -> Outage:
    """Forty visitors put one poison each into the log, in conversations of their own (H29)."""
    good = message_of(_message(stage.probes.staff.shop_id, stage.probes.conversation))
    bus = KafkaBus(stage.platform.known.bootstrap_servers, client_id="peakdesk-poison")
    producer = bus.producer()
    await producer.start()
    broken_at = time.monotonic()
    try:
        poison = [_changed(good, key=str(uuid.uuid4()).encode()) for _ in range(CROWD)]
        stage.planted.update(await asyncio.gather(*await producer.send_all(poison)))
    finally:
        await producer.stop()
        await bus.close()
    return Outage(broken_at, time.monotonic())


def refusing(seconds: float) -> Act:
    """PostgreSQL takes no chat record for a while, as if a release could handle none (H29).

    The archive pours away one record a rest, comes back by itself, and a replay brings the rest.
    """

    async def act(stage: Stage) -> Outage:
        platform = stage.platform
        before = await _at_rest(platform)
        connection = await asyncpg.connect(addresses.administrator(platform.known))
        broken_at = time.monotonic()
        try:
            await connection.execute(f"{_MESSAGES} add constraint refusing check (false) not valid")
            try:
                begun = await _rested_since(platform, before)
                assert not platform.is_ready("conversation")
                await asyncio.sleep(seconds)
            finally:
                await connection.execute(f"{_MESSAGES} drop constraint refusing")
        finally:
            await connection.close()
        healed_at = time.monotonic()
        await eventually(
            lambda: platform.is_ready("conversation"), within=WELL_WITHIN_S, what="ready by itself"
        )
        after = await _at_rest(platform)
        assert begun.letters - before.letters >= IN_A_ROW
        assert after.letters - begun.letters <= after.rests - begun.rests + 1, (
            before,
            begun,
            after,
        )
        await asyncio.to_thread(deadletters.replay, platform.known, ARCHIVE)
        return Outage(broken_at, healed_at)

    return act


class _Account(NamedTuple):
    """What the archive's process has counted so far."""

    letters: float
    rests: float


async def _rested_since(platform: Platform, before: _Account) -> _Account:
    """Return the account as soon as one more rest has begun."""

    async def rested() -> _Account | None:
        now = await _at_rest(platform)
        return now if now.rests > before.rests else None

    found = await eventually(rested, within=RED_WITHIN_S, what="a rest")
    assert found is not None
    return found


async def _at_rest(platform: Platform) -> _Account:
    of_archive = f'_total{{group="{ARCHIVE}"'
    metrics = await asyncio.to_thread(_metrics, platform, "conversation")
    return _Account(
        _sum(metrics, f"peakdesk_dead_letters{of_archive}"),
        _sum(metrics, f"peakdesk_consumer_rests{of_archive}"),
    )


def _eight_kinds(stage: Stage) -> list[Message]:
    good = message_of(_message(stage.probes.staff.shop_id, stage.probes.conversation))
    headers, body = dict(good.headers), good.value or b""
    return [
        _changed(good, value=b"{"),
        _changed(good, value=None),
        _changed(good, headers=headers | {"ce_type": b"order.paid.v1"}),
        _changed(good, headers={k: v for k, v in headers.items() if k != "ce_id"}),
        _changed(good, headers=headers | {"ce_id": b"1;--"}),
        _changed(good, value=body.replace("毒".encode(), b"\\u0000")),
        _changed(good, headers=headers | {"ce_shop": str(uuid.uuid4()).encode()}),
        _changed(good, key=str(uuid.uuid4()).encode()),
    ]


def _message(shop: str, conversation: str) -> ChatMessage:
    client_id, sender = str(uuid.uuid4()), str(uuid.uuid4())
    return ChatMessage(
        id=derived_id("message", conversation, sender, client_id),
        time=datetime.now(UTC),
        shop_id=ShopId(shop),
        conversation_id=ConversationId(conversation),
        sender_id=PersonId(sender),
        sender_kind=SenderKind.BUYER,
        client_id=client_id,
        kind="text",
        d={"text": "毒"},
        body_hash="0" * 32,
    )


def _changed(record: Message, **changed: Any) -> Message:
    headers: Mapping[str, bytes] = changed.pop("headers", dict(record.headers))
    fields = {"topic": record.topic, "key": record.key, "value": record.value} | changed
    return Message(headers=tuple(headers.items()), **fields)


# -- slow readers -------------------------------------------------------------------------------


def slow_readers(seconds: float) -> Act:
    """A tenth of all clients read a byte a second from busy streams; the gateway lets them go."""

    async def act(stage: Stage) -> Outage:
        world = stage.world
        shop = await world.shop()
        boss = await world.staff(shop, Role.SUPERVISOR)
        talkers = [await world.buyer(shop) for _ in range(TALKERS)]
        talks = [await world.talk(talker) for talker in talkers]
        async with Network(*stage.network.doors) as swamp:
            slow = [
                Client(_socket(swamp), boss.session.token, rng=random.Random(number))
                for number in range(SLOW_READERS)
            ]
            for client in slow:
                await client.open()
                for talk in talks:
                    await client.subscribe(f"conv:{talk}")
            gateway = stage.platform.process("gateway")
            resident = gateway.memory_info().rss
            closed = _closes(stage.platform)
            swamp.slow_down()
            broken_at = time.monotonic()
            while time.monotonic() < broken_at + seconds:
                said = (t.say(talk, "快" * 400) for t, talk in zip(talkers, talks, strict=True))
                codes = {answer.code for answer in await asyncio.gather(*said)}
                assert codes <= {None, "rate_limited"}, codes
                await asyncio.sleep(SAYS_EVERY_S)
            grown = gateway.memory_info().rss - resident
            assert grown < GROWTH_LIMIT_BYTES, f"the gateway grew by {grown} bytes"
            await eventually(
                lambda: _closes(stage.platform) > closed, within=20, what="a close with 4001"
            )
            healed_at = time.monotonic()
            await asyncio.gather(*(client.close() for client in slow))
        return Outage(broken_at, healed_at)

    return act


def _socket(network: Network) -> str:
    return network.url.replace("http", "ws", 1) + "/v1/ws"


def _closes(platform: Platform) -> float:
    """Return how many sockets the gateway has closed for being slow."""
    wanted = f'peakdesk_socket_closes_total{{code="{TOO_SLOW}"}}'
    return _sum(_metrics(platform, "gateway"), wanted)


def _metrics(platform: Platform, service: str) -> str:
    return httpx2.get(f"{platform.admin_url(service)}/metrics", trust_env=False, verify=NO_TLS).text


def _sum(metrics: str, series: str) -> float:
    """Return the sum of the series whose names begin so."""
    return sum(float(row.split()[-1]) for row in metrics.splitlines() if row.startswith(series))


# -- a lagging archive --------------------------------------------------------------------------


@asynccontextmanager
async def short_ring(platform: Platform, _network: Network) -> AsyncIterator[None]:
    """A gateway that remembers two seconds: what is older it must read from the broker (H10)."""
    await asyncio.to_thread(platform.drain, "gateway")
    await asyncio.to_thread(partial(platform.start, "gateway", RING_S="2"))
    try:
        yield
    finally:
        await asyncio.to_thread(platform.drain, "gateway")
        await asyncio.to_thread(platform.start, "gateway")


def archive_behind(seconds: float) -> Act:
    """Nothing can be archived for a while; in the middle of it everybody reconnects."""

    async def act(stage: Stage) -> Outage:
        connection = await asyncpg.connect(addresses.administrator(stage.platform.known))
        broken_at = time.monotonic()
        try:
            async with connection.transaction():
                await connection.execute("lock table conversation.messages in share mode")
                await asyncio.sleep(seconds / 2)
                stage.network.cut()
                await asyncio.sleep(seconds / 2)
        finally:
            await connection.close()
        return Outage(broken_at, time.monotonic())

    return act


# -- two of each --------------------------------------------------------------------------------


@asynccontextmanager
async def two_of_each(platform: Platform, network: Network) -> AsyncIterator[None]:
    """Two gateways behind the network and two monitors in one group."""
    door = await asyncio.to_thread(
        partial(platform.start_second, "gateway", GATEWAY_ID=f"{platform.known.name}-2")
    )
    await asyncio.to_thread(platform.start_second, "monitor")
    network.doors.append(door)
    try:
        yield
    finally:
        network.doors.remove(door)
        for name in ("gateway-2", "monitor-2"):
            await asyncio.to_thread(platform.drain, name)


def one_dies(name: str) -> Act:
    """Kill the second process of a service and leave it dead: the first one takes over."""

    async def act(stage: Stage) -> Outage:
        broken_at = time.monotonic()
        await stage.kill(f"{name}-2")
        return Outage(broken_at, time.monotonic())

    return act
