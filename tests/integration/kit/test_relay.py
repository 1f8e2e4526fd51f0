"""The relay at one bad row: its key waits, in order, and everybody else's events flow (H45)."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence

import pytest
from sqlalchemy import text
from typing_extensions import override

from kit.bus.kafka import KafkaBus, NewTopic, create_topics
from kit.bus.kafka.producer import KafkaProducer
from kit.bus.ports import MESSAGE_BYTES, Message, Position, Producer
from kit.clock import SystemClock
from kit.leases import LeaseLost, Leases
from kit.metrics import Metrics
from kit.outbox import shard_of
from kit.postgres import Database
from kit.relay import READ, Relay
from tests.integration.kit.relays import numbers_by_key, read_all, running
from tests.suites.bus import MakeTopic
from tests.waiting import eventually

pytestmark = pytest.mark.integration

POISON = "order-poisoned"
INNOCENT = [f"order-{n}" for n in range(300)]
BESIDE = [key for key in INNOCENT if shard_of(key) == shard_of(POISON)]

Row = tuple[str, str, bytes]
"""Topic, key, body."""


async def test_a_row_too_large_holds_back_its_key_and_no_other(
    store: Database, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(6)
    metrics = Metrics()
    large = b"x" * (MESSAGE_BYTES + 1)
    of_the_key = [(topic, POISON, large if n == 5 else b"%d" % n) for n in range(20)]
    beside = [(topic, key, b"%d" % n) for n in range(10) for key in INNOCENT]
    await insert(store, [*of_the_key[:10], *beside, *of_the_key[10:]])

    async with running([Relay(store, bus, metrics=metrics)]):
        await eventually(lambda: left(store, 15), within=30)
        told = numbers_by_key(await read_all(bus, topic))
        assert told.pop(POISON) == list(range(5))
        assert told == {key: list(range(10)) for key in INNOCENT}
        assert held(metrics) == 1
        assert published(metrics) == 3005

        await execute(store, "delete from outbox where length(body) > 1000")
        await eventually(lambda: left(store, 0), within=30)

    assert numbers_by_key(await read_all(bus, topic))[POISON] == [n for n in range(20) if n != 5]
    assert held(metrics) == 0


async def test_ten_thousand_rows_of_a_held_key_in_front_delay_nobody(
    store: Database, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(6)
    waiting = [(topic, POISON, b"x" * 400)] * 10_000
    await insert(store, [(topic, POISON, b"x" * (MESSAGE_BYTES + 1)), *waiting])
    await insert(store, [(topic, key, b"1") for key in BESIDE])

    async with running([Relay(store, bus)]):
        await eventually(lambda: left(store, 10_001))

    assert set(numbers_by_key(await read_all(bus, topic))) == set(BESIDE)
    await execute(store, "vacuum analyze outbox", alone=True)
    assert await pages_touched(store, READ, shard_of(POISON), [POISON], 500) < 2_000


async def test_a_row_for_a_topic_that_is_not_there_ends_no_relay(
    store: Database, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(1)
    await insert(store, [("nowhere", POISON, b"1"), (topic, POISON, b"2"), (topic, "other", b"3")])

    async with running([Relay(store, bus)]):
        await eventually(lambda: left(store, 2))
        assert numbers_by_key(await read_all(bus, topic)) == {"other": [3]}
        await create_topics(bus.connection, [NewTopic("nowhere", 1)])
        await eventually(lambda: left(store, 0), within=30)

    assert numbers_by_key(await read_all(bus, topic)) == {"other": [3], POISON: [2]}


async def test_a_row_that_the_broker_refuses_breaks_nobody_elses_for_long(
    store: Database, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(6)
    narrow = NewTopic("narrow", 1, config={"max.message.bytes": "2000"})
    await create_topics(bus.connection, [narrow])
    metrics = Metrics()
    await insert(store, [("narrow", POISON, b"x" * 100_000), ("narrow", POISON, b"7")])
    await insert(store, [(topic, key, b"%d" % n) for n in range(5) for key in INNOCENT])

    async with running([Relay(store, bus, metrics=metrics)]):
        await eventually(lambda: left(store, 2))
        await eventually(lambda: held(metrics) == 1)

    told = numbers_by_key(await read_all(bus, topic))
    assert {key: list(dict.fromkeys(numbers)) for key, numbers in told.items()} == {
        key: list(range(5)) for key in INNOCENT
    }


async def test_work_under_a_lease_is_refused_on_a_connection_that_does_not_hold_it(
    store: Database,
) -> None:
    mine, other = Leases(store), Leases(store)
    assert await mine.take("outbox/0")
    await end_lease_holders(store)
    await eventually(lambda: other.take("outbox/0"))

    with pytest.raises(LeaseLost):
        async with mine.using(under="outbox/0") as connection:
            await connection.execute("select 1")

    async with mine.using() as connection:  # the connection itself lives on
        assert await connection.fetchval("select 1") == 1
    await mine.close()
    await other.close()


async def test_a_relay_that_lost_its_lease_while_rows_were_under_way_deletes_none_of_them(
    store: Database, bus: KafkaBus, make_topic: MakeTopic
) -> None:
    topic = await make_topic(1)
    taken: list[bool] = []
    successor = Leases(store)

    async def lose_the_lease() -> None:
        if not taken:
            await end_lease_holders(store)
            taken.append(await eventually(lambda: successor.take(f"outbox/{shard_of(POISON)}")))

    meddled = Meddled(bus, lose_the_lease)
    await insert(store, [(topic, POISON, b"1")])

    async with running([Relay(store, meddled)]):
        await eventually(lambda: taken)
        await eventually(lambda: has_read(bus, topic, 1))
        await insert(store, [(topic, key, b"2") for key in INNOCENT[:50] if key not in BESIDE])
        await eventually(lambda: left(store, 1))
        assert len(numbers_by_key(await read_all(bus, topic))[POISON]) == 1
        await successor.close()
        await eventually(lambda: left(store, 0))

    assert numbers_by_key(await read_all(bus, topic))[POISON] == [1, 1]
    await meddled.close()


class Meddled(KafkaBus):
    """A bus that does something after its producer handed rows over, before they are answered."""

    def __init__(self, bus: KafkaBus, meddle: Callable[[], Awaitable[None]]) -> None:
        super().__init__(bus.connection.bootstrap_servers, prefix=bus.connection.prefix)
        self._meddle = meddle

    @override
    def producer(self) -> Producer:
        return MeddledProducer(self, self._meddle)


class MeddledProducer(KafkaProducer):
    """The producer of that bus."""

    def __init__(self, bus: KafkaBus, meddle: Callable[[], Awaitable[None]]) -> None:
        super().__init__(bus.connection, SystemClock(), bus.partitions)
        self._meddle = meddle

    @override
    async def send_all(self, messages: Sequence[Message]) -> list[asyncio.Future[Position]]:
        answers = await super().send_all(messages)
        await self._meddle()
        return answers


async def insert(store: Database, rows: Sequence[Row]) -> None:
    """Commit rows in this order, past the door that refuses bodies too large for any broker."""
    async with store.write_across("a test") as session:
        await session.execute(
            text(
                "insert into outbox (shard, event_id, topic, key, type, headers, body)"
                " select * from unnest(cast(:shards as smallint[]), cast(:ids as text[]),"
                " cast(:topics as text[]), cast(:keys as text[]), cast(:ids as text[]),"
                " cast(:headers as jsonb[]), cast(:bodies as bytea[]))"
            ),
            {
                "shards": [shard_of(key) for _, key, _ in rows],
                "ids": [str(n) for n in range(len(rows))],
                "topics": [topic for topic, _, _ in rows],
                "keys": [key for _, key, _ in rows],
                "headers": ["[]"] * len(rows),
                "bodies": [body for _, _, body in rows],
            },
        )


async def execute(store: Database, statement: str, *, alone: bool = False) -> None:
    """Run one statement; `alone` outside any transaction."""
    if alone:
        connection = await store.direct()
        await connection.execute(statement)
        await connection.close()
    else:
        async with store.write_across("a test") as session:
            await session.execute(text(statement))


async def end_lease_holders(store: Database) -> None:
    """End whoever holds an advisory lock in this database, as a failover would."""
    await execute(
        store,
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
        " and database = (select oid from pg_database where datname = current_database())",
    )


async def pages_touched(store: Database, statement: str, *arguments: object) -> int:
    """Run a statement; return how many pages of 8 KiB it looked at."""
    connection = await store.direct()
    (row,) = await connection.fetch(
        f"explain (analyze, buffers, format json) {statement}", *arguments
    )
    await connection.close()
    plan = json.loads(row[0])[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


async def left(store: Database, count: int) -> bool:
    """Tell whether so many rows are left."""
    async with store.read_across("a test") as session:
        rows = await session.execute(text("select count(*) from outbox"))
        return bool(rows.scalar_one() == count)


async def has_read(bus: KafkaBus, topic: str, count: int) -> bool:
    return len(await read_all(bus, topic)) >= count


def held(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("peakdesk_outbox_held_keys")


def published(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("peakdesk_outbox_published_total")
