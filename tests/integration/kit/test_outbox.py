"""The outbox as a guard against its faults: nothing lost, nothing reordered."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from asyncpg.connection import LoggedQuery
from sqlalchemy import text
from typing_extensions import override

from kit import outbox
from kit.bus.kafka import KafkaBus
from kit.bus.kafka.producer import KafkaProducer
from kit.bus.ports import Headers, Message, Position, Producer, Record
from kit.clock import SystemClock
from kit.ids import SequenceIds
from kit.metrics import Metrics
from kit.outbox import SHARDS, Tombstone
from kit.postgres import Database, DirectConnection
from kit.relay import BATCH, LEASE_RETRY_S, Relay
from kit.telemetry import TRACEPARENT, new_trace, traced
from tests.integration.kit.relays import numbers_by_key, read_all, running
from tests.suites.bus import MakeTopic
from tests.suites.reading import read
from tests.waiting import eventually

pytestmark = pytest.mark.integration

WRITERS = 16
TRANSACTIONS = 40
AGGREGATES = 12


@dataclass(frozen=True)
class Counted:
    """An event that says which change of its aggregate it was."""

    topic_name: str
    key: str
    number: int
    id: str
    type: str = "test.counted.v1"
    shop_id: str = "shop"
    time: datetime = field(default=datetime(2026, 11, 11, tzinfo=UTC))

    def body(self) -> bytes:
        return str(self.number).encode()

    def headers(self) -> Headers:
        return (("ce_id", self.id.encode()), ("ce_shop", "店".encode()))


async def test_sixteen_writers_and_four_relays_lose_nothing_and_reorder_nothing(
    store: Database, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(6)
    await make_aggregates(store)
    relays = [Relay(store, bus, shards=range(n, SHARDS, 4)) for n in range(4)]

    async with running(relays):
        await write(store, topic)
        await eventually(lambda: is_empty(store), within=30)

    records = await read(bus, topic, WRITERS * TRANSACTIONS * 2)
    assert numbers_by_key(records) == await committed(store)


async def test_a_tombstone_comes_behind_what_was_said_of_its_key(
    store: Database, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic, at = await make_topic(1), datetime(2026, 11, 11, tzinfo=UTC)
    said = Counted(topic, key="k", number=1, id="e1")
    gone = Tombstone("e2", time=at, topic_name=topic, key="k", shop_id="shop")
    async with store.write_across("a test") as session:
        await outbox.add(session, said, gone)

    async with running([Relay(store, bus)]):
        await eventually(lambda: is_empty(store), within=30)

    told = await read(bus, topic, 2)
    assert [(one.key, one.value) for one in told] == [(b"k", b"1"), (b"k", None)]


async def test_a_relay_killed_between_ack_and_delete_repeats_at_most_one_batch(
    store: Database, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(6)
    await make_aggregates(store)
    where = bus.connection
    freezing = FreezesAfterAck(where.bootstrap_servers, prefix=where.prefix)
    freezing.acked = asyncio.Event()
    victim = Relay(store, freezing)
    await victim.start()
    dying = asyncio.create_task(victim.run())
    writing = asyncio.create_task(write(store, topic))
    await freezing.acked.wait()
    dying.cancel()  # as kill -9: it holds acks for rows that it never deleted
    await asyncio.gather(dying, return_exceptions=True)

    async with running([Relay(store, bus)]):
        await writing
        await eventually(lambda: is_empty(store), within=30)
    await victim.stop()
    await freezing.close()

    wanted = await committed(store)
    count = sum(map(len, wanted.values()))
    reader = await read_all(bus, topic)
    ids = [record.header("ce_id") for record in reader]
    assert len(set(ids)) == count
    assert 0 < len(ids) - len(set(ids)) <= BATCH * SHARDS
    assert numbers_by_key(first_of_each(reader)) == wanted


async def test_one_shard_is_worked_by_one_relay_and_another_takes_over(
    store: Database, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(1)
    ids = SequenceIds()
    first, second = Metrics(), Metrics()

    async def publish_one() -> None:
        async with store.write_across("a test") as session:
            await outbox.add(session, Counted(topic, "a", 1, ids.new()))
        await eventually(lambda: is_empty(store))

    async with running([Relay(store, bus, metrics=first)]):
        await publish_one()
        async with running([Relay(store, bus, metrics=second)]):
            await publish_one()
            assert published(first) == 2
            assert published(second) == 0
            async with store.write_across("a test") as session:
                await session.execute(
                    text(
                        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
                        " and database = (select oid from pg_database"
                        " where datname = current_database())"
                    )
                )
            await publish_one()
    assert published(first) + published(second) == 3
    assert len(await read_all(bus, topic)) == 3


async def test_a_relay_without_a_lease_asks_for_it_once_a_second_and_no_oftener(
    store: Database, pg_dsn: str, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(1)
    ids = SequenceIds()
    counted = CountedLeases(pg_dsn, schema=store.schema)

    async with running([Relay(store, bus)]):
        async with store.write_across("a test") as session:
            await outbox.add(session, Counted(topic, "a", 0, ids.new()))
        await eventually(lambda: is_empty(store))
        begun = SystemClock().monotonic()
        async with running([Relay(counted, bus)]):
            for number in range(20):
                async with store.write_across("a test") as session:
                    await outbox.add(session, Counted(topic, "a", number, ids.new()))
                await eventually(lambda: is_empty(store))
            await eventually(lambda: counted.asked >= SHARDS)
            lasted_s = SystemClock().monotonic() - begun

    assert counted.asked <= SHARDS * (lasted_s / LEASE_RETRY_S + 1)
    await counted.close()


async def test_an_event_arrives_as_it_was_recorded_with_its_trace(
    store: Database, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(1)
    trace = new_trace()

    async with running([Relay(store, bus, poll_s=60)]):
        with traced(trace):
            async with store.write_across("a test") as session:
                await outbox.add(session, Counted(topic, "键", 7, "id-1"))
        (record,) = await read(bus, topic, 1)

    assert (record.key, record.value) == ("键".encode(), b"7")
    assert record.headers == (
        ("ce_id", b"id-1"),
        ("ce_shop", "店".encode()),
        (TRACEPARENT, trace.traceparent().encode()),
    )


async def test_what_is_rolled_back_is_not_published(
    store: Database, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(1)

    async def fail_after_adding() -> None:
        async with store.write_across("a test") as session:
            await outbox.add(session, Counted(topic, "a", 1, "rolled-back"))
            raise LookupError

    async with running([Relay(store, bus)]):
        with pytest.raises(LookupError):
            await fail_after_adding()
        async with store.write_across("a test") as session:
            await outbox.add(session, Counted(topic, "a", 2, "committed"))
        records = await read(bus, topic, 1)

    assert [record.header("ce_id") for record in records] == [b"committed"]


async def test_the_age_of_the_oldest_event_is_measured(
    store: Database, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(1)
    metrics = Metrics()
    async with store.write_across("a test") as session:
        await outbox.add(session, Counted(topic, "a", 1, "old"))
        await session.execute(text("update outbox set created_at = now() - interval '1 hour'"))

    async with running([Relay(store, bus, shards=(), metrics=metrics)]):
        age = await eventually(
            lambda: metrics.registry.get_sample_value("peakdesk_outbox_oldest_seconds")
        )

    assert age is not None
    assert 3600 <= age < 3700
    assert metrics.registry.get_sample_value("peakdesk_outbox_rows") == 1


class CountedLeases(Database):
    """A database that counts how often leases are asked for."""

    asked = 0

    @override
    async def direct(self) -> DirectConnection:
        connection = await super().direct()
        connection.add_query_logger(self._count)
        return connection

    def _count(self, query: LoggedQuery) -> None:
        self.asked += "pg_try_advisory_lock" in query.query


class FreezesAfterAck(KafkaBus):
    """A bus whose producer gets its acks and then never hands them on."""

    acked: asyncio.Event

    @override
    def producer(self) -> Producer:
        frozen = FrozenProducer(self.connection, SystemClock(), self.partitions)
        frozen.acked = self.acked
        return frozen


class FrozenProducer(KafkaProducer):
    """The producer of that bus."""

    acked: asyncio.Event

    @override
    async def send_all(self, messages: Sequence[Message]) -> list[asyncio.Future[Position]]:
        for ack in await super().send_all(messages):
            ack.add_done_callback(lambda _: self.acked.set())
        loop = asyncio.get_running_loop()
        return [loop.create_future() for _ in messages]


async def make_aggregates(store: Database) -> None:
    """Make rows to lock and count on."""
    async with store.write_across("a test") as session:
        await session.execute(text("create table aggregates (id int primary key, number int)"))
        await session.execute(
            text("insert into aggregates select n, 0 from generate_series(0, :last) n"),
            {"last": AGGREGATES - 1},
        )


async def write(store: Database, topic: str) -> None:
    """Change aggregates from many tasks at once; some transactions dawdle, some roll back."""
    ids = SequenceIds()
    chance = random.Random(11)

    async def one_change(aggregate: int) -> None:
        async with store.write_across("a test") as session:
            number = (
                await session.execute(
                    text(
                        "update aggregates set number = number + 2 where id = :id returning number"
                    ),
                    {"id": aggregate},
                )
            ).scalar_one()
            events = [Counted(topic, f"agg-{aggregate}", number - n, ids.new()) for n in (1, 0)]
            await outbox.add(session, *events)
            await session.execute(text("select pg_sleep(:s)"), {"s": chance.random() * 0.01})
            if chance.random() < 0.1:
                raise LookupError

    async def writer() -> None:
        done = 0
        while done < TRANSACTIONS:
            try:
                await one_change(chance.randrange(AGGREGATES))
            except LookupError:
                continue
            done += 1

    await asyncio.gather(*(writer() for _ in range(WRITERS)))


async def committed(store: Database) -> dict[str, list[int]]:
    """Return what must have been published: each aggregate's changes, in order."""
    async with store.read_across("a test") as session:
        rows = await session.execute(text("select id, number from aggregates where number > 0"))
        return {f"agg-{one}": list(range(1, last + 1)) for one, last in rows}


async def is_empty(store: Database) -> bool:
    async with store.read_across("a test") as session:
        return (await session.execute(text("select 1 from outbox limit 1"))).scalar() is None


def first_of_each(records: Sequence[Record]) -> list[Record]:
    """Return the records without the repeats of an id."""
    firsts = {record.header("ce_id"): record for record in reversed(records)}
    return [record for record in records if firsts[record.header("ce_id")] is record]


def published(metrics: Metrics) -> float:
    return metrics.registry.get_sample_value("peakdesk_outbox_published_total") or 0
