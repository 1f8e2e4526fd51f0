"""What a bus must do, whichever it is: run on Kafka and on the double that stands for it."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Protocol

import pytest

from kit.bus.ports import (
    MESSAGE_BYTES,
    Bus,
    Consumer,
    Message,
    Position,
    Producer,
    TooLarge,
    TopicPartition,
    UnknownTopic,
)
from kit.errors import Fenced
from tests.suites.reading import polled_until, read, take
from tests.waiting import eventually


class MakeTopic(Protocol):
    """Makes a topic and returns its name, one of its own unless given."""

    async def __call__(self, partitions: int, name: str = "") -> str: ...


class BusSuite:
    """Subclassed once per bus, with fixtures `bus` and `make_topic`."""

    @pytest.fixture
    async def producer(self, bus: Bus) -> AsyncIterator[Producer]:
        producer = bus.producer()
        await producer.start()
        yield producer
        await producer.stop()

    async def test_an_acknowledged_message_can_be_read_at_its_position(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(3)
        headers = (("ce_type", b"a"), ("n", b""), ("ce_type", b"b"))

        position = await producer.send(Message(topic, b"k", "你好".encode(), headers))

        (record,) = await read(bus, topic, 1)
        assert (record.partition, record.offset) == position
        assert record.tp == TopicPartition(topic, position.partition)
        assert (record.key, record.value) == (b"k", "你好".encode())
        assert record.headers == headers
        assert record.header("ce_type") == b"a"
        assert record.header("absent") is None
        assert record.timestamp_ms > 0

    async def test_messages_of_one_key_keep_their_order(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(3)
        sent = [Message(topic, b"k%d" % (n % 7), b"%d" % n) for n in range(500)]

        first = await producer.send_all(sent[:200])
        second = await producer.send_all(sent[200:])
        positions = await asyncio.gather(*first, *second)

        records = await read(bus, topic, 500)
        for key in {message.key for message in sent}:
            wanted = [message.value for message in sent if message.key == key]
            assert [r.value for r in records if r.key == key] == wanted
        assert len(set(positions)) == 500

    async def test_a_key_always_goes_to_the_partition_that_the_producer_names(
        self, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(3)
        keys = [b"key-%d" % n for n in range(30)]

        acks = await producer.send_all([Message(topic, key, b"") for key in keys])

        partitions = [(await ack).partition for ack in acks]
        assert partitions == [await producer.partition_for(topic, key) for key in keys]
        assert set(partitions) == {0, 1, 2}

    async def test_a_tombstone_is_read_as_none(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(1)

        await producer.send(Message(topic, b"k", None))

        assert [r.value for r in await read(bus, topic, 1)] == [None]

    async def test_a_message_over_the_limit_is_refused_and_does_not_hold_up_others(
        self, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(1)

        refused, taken = await producer.send_all(
            [Message(topic, b"k", bytes(MESSAGE_BYTES)), Message(topic, b"k", b"small")]
        )

        with pytest.raises(TooLarge):
            await refused
        assert await taken == Position(0, 0)

    async def test_large_messages_that_fill_every_batch_all_arrive_in_order(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(1)
        sent = [Message(topic, b"k", bytes([n]) * 100_000) for n in range(10)]

        await asyncio.gather(*await producer.send_all(sent))

        assert [r.value for r in await read(bus, topic, 10)] == [m.value for m in sent]

    async def test_a_fresh_producer_is_not_stalled(
        self, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(1)

        await producer.send(Message(topic, b"k", b"v"))

        assert not producer.stalled(topic, b"k")

    async def test_a_reader_begins_at_the_oldest_record_and_can_seek(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(1)
        await asyncio.gather(
            *await producer.send_all([Message(topic, b"k", b"%d" % n) for n in range(10)])
        )
        reader = bus.reader([topic])
        await reader.start()
        try:
            tp = TopicPartition(topic, 0)
            assert reader.assignment() == {tp}
            assert [r.offset for r in await take(reader, 10)] == list(range(10))
            assert await reader.position(tp) == 10
            reader.seek(tp, 7)
            assert [r.offset for r in await take(reader, 3)] == [7, 8, 9]
        finally:
            await reader.stop()

    async def test_offsets_can_be_asked_for(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(2)
        placed = await producer.send(Message(topic, b"k", b"v"))
        used, empty = (TopicPartition(topic, p) for p in (placed.partition, 1 - placed.partition))
        reader = bus.reader([topic])
        await reader.start()
        try:
            (record,) = await take(reader, 1)
            assert await reader.beginning_offsets([used, empty]) == {used: 0, empty: 0}
            assert await reader.end_offsets([used, empty]) == {used: 1, empty: 0}
            before = dict.fromkeys((used, empty), record.timestamp_ms - 1)
            after = dict.fromkeys((used, empty), record.timestamp_ms + 1000)
            assert await reader.offsets_for_times(before) == {used: 0, empty: 0}
            assert await reader.offsets_for_times(after) == {used: 1, empty: 0}
            await eventually(lambda: reader.lag().get(used) == 0)
        finally:
            await reader.stop()

    async def test_a_reader_of_nothing_can_be_asked_where_any_partition_ends(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(2)
        placed = await producer.send(Message(topic, b"k", b"v"))
        used, empty = (TopicPartition(topic, p) for p in (placed.partition, 1 - placed.partition))
        asking = bus.reader([])
        await asking.start()
        try:
            assert asking.assignment() == frozenset()
            assert await asking.end_offsets([used, empty]) == {used: 1, empty: 0}
            await producer.send(Message(topic, b"k", b"v"))
            assert await asking.end_offsets([used]) == {used: 2}
        finally:
            await asking.stop()

    async def test_a_paused_partition_rests_until_it_is_resumed_and_loses_nothing(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(2)
        keys = {
            await producer.partition_for(topic, key): key
            for key in await known_keys(producer, topic)
        }
        resting, going = TopicPartition(topic, 0), TopicPartition(topic, 1)
        reader = bus.reader([topic])
        await reader.start()
        try:
            await take(reader, 20)
            reader.pause([resting])
            await producer.send(Message(topic, keys[0], b"later"))
            await producer.send(Message(topic, keys[1], b"now"))
            assert [r.value for r in await take(reader, 1)] == [b"now"]
            assert reader.paused() == {resting}
            assert await reader.getmany(50) == {}
            reader.resume([resting, going])
            assert [r.value for r in await take(reader, 1)] == [b"later"]
            assert reader.paused() == frozenset()
        finally:
            await reader.stop()

    async def test_getmany_gives_no_more_than_it_is_asked_for(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(1)
        await asyncio.gather(
            *await producer.send_all([Message(topic, b"k", b"%d" % n) for n in range(10)])
        )
        reader = bus.reader([topic])
        await reader.start()
        try:
            first = await eventually(lambda: reader.getmany(100, max_records=4))
            assert [len(records) for records in first.values()] == [4]
            assert [r.offset for r in await take(reader, 6)] == [4, 5, 6, 7, 8, 9]
        finally:
            await reader.stop()

    async def test_a_group_goes_on_where_it_committed(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(1)
        await asyncio.gather(
            *await producer.send_all([Message(topic, b"k", b"%d" % n) for n in range(10)])
        )
        first = bus.group_consumer([topic], group=f"{topic}.g")
        await first.start()
        await take(first, 10)
        await first.commit({TopicPartition(topic, 0): 6})
        await first.stop()

        second = bus.group_consumer([topic], group=f"{topic}.g")
        await second.start()
        try:
            assert [r.offset for r in await take(second, 4)] == [6, 7, 8, 9]
        finally:
            await second.stop()

    async def test_a_gathering_member_gets_in_few_polls_what_comes_one_by_one(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(2)
        member = bus.group_consumer([topic], group=f"{topic}.g", gather_ms=400)
        await member.start()
        polls: list[int] = []

        async def listen() -> None:
            while sum(polls) < 20:
                polls.append(sum(map(len, (await member.getmany(100)).values())))

        async def speak() -> None:
            for number in range(20):
                await producer.send(Message(topic, b"%d" % number, b"v"))
                await asyncio.sleep(0.005)

        await asyncio.wait_for(asyncio.gather(listen(), speak()), 20)
        await member.stop()

        assert sum(map(bool, polls)) <= 4, polls

    async def test_two_groups_each_read_everything(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(1)
        await producer.send(Message(topic, b"k", b"v"))

        for group in ("one", "two"):
            member = bus.group_consumer([topic], group=f"{topic}.{group}")
            await member.start()
            assert [r.value for r in await take(member, 1)] == [b"v"]
            await member.stop()

    async def test_members_of_a_group_share_the_partitions_and_a_leaver_gives_its_own_back(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(4)
        moves: list[tuple[str, str, int]] = []

        def member(name: str) -> Consumer:
            async def came(_: Consumer, partitions: Collection[TopicPartition]) -> None:
                moves.append((name, "came", len(partitions)))

            async def going(_: Consumer, partitions: Collection[TopicPartition]) -> None:
                moves.append((name, "going", len(partitions)))

            return bus.group_consumer(
                [topic], group=f"{topic}.g", on_assigned=came, on_revoked=going
            )

        first, second = member("first"), member("second")
        await first.start()
        assert len(first.assignment()) == 4
        await second.start()
        await polled_until(
            lambda: len(first.assignment()) == len(second.assignment()) == 2, first, second
        )
        assert first.assignment() | second.assignment() == partitions_of(topic, 4)
        await second.stop()
        await polled_until(lambda: len(first.assignment()) == 4, first)
        await first.stop()
        assert moves[0] == ("first", "came", 4)
        assert ("first", "going", 4) in moves
        assert ("second", "came", 2) in moves

    async def test_a_seek_on_assignment_comes_before_the_first_record(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(1)
        await asyncio.gather(
            *await producer.send_all([Message(topic, b"k", b"%d" % n) for n in range(10)])
        )

        async def came(consumer: Consumer, partitions: Collection[TopicPartition]) -> None:
            await asyncio.sleep(0.05)  # a store takes its time: no record may slip through
            for tp in partitions:
                consumer.seek(tp, 8)

        member = bus.group_consumer([topic], group=f"{topic}.g", on_assigned=came)
        await member.start()
        try:
            assert [r.offset for r in await take(member, 2)] == [8, 9]
        finally:
            await member.stop()

    async def test_a_failure_on_assignment_reaches_whoever_reads(
        self, bus: Bus, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(1)

        async def came(_: Consumer, __: Collection[TopicPartition]) -> None:
            raise LookupError("no stored position")

        member = bus.group_consumer([topic], group=f"{topic}.g", on_assigned=came)
        await member.start()
        try:
            with pytest.raises(LookupError, match="no stored position"):
                await eventually(lambda: member.getmany(50))
        finally:
            await member.stop()

    async def test_a_commit_for_a_partition_of_another_member_is_fenced(
        self, bus: Bus, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(1)
        member = bus.group_consumer([topic], group=f"{topic}.g")
        await member.start()
        try:
            with pytest.raises(Fenced):
                await member.commit({TopicPartition(topic, 5): 1})
        finally:
            await member.stop()

    async def test_a_topic_has_an_identity_and_partitions(
        self, bus: Bus, make_topic: MakeTopic
    ) -> None:
        one, other = await make_topic(3), await make_topic(1)

        assert await bus.topic_id(one) == await bus.topic_id(one) != await bus.topic_id(other)
        assert (await bus.partitions(one), await bus.partitions(other)) == (3, 1)
        await bus.ping()

    async def test_an_unknown_topic_is_named_with_its_cure(self, bus: Bus) -> None:
        with pytest.raises(UnknownTopic, match="peakdesk topics"):
            await bus.partitions("never.made")

    async def test_stopping_twice_and_stopping_what_never_started_is_fine(self, bus: Bus) -> None:
        producer = bus.producer()
        await producer.stop()
        await producer.stop()
        reader = bus.reader(["never.made"])
        await reader.stop()


async def known_keys(producer: Producer, topic: str) -> list[bytes]:
    """Send one message for each of some keys, so that the producer knows the topic."""
    keys = [b"key-%d" % n for n in range(20)]
    await asyncio.gather(*await producer.send_all([Message(topic, key, b"") for key in keys]))
    return keys


def partitions_of(topic: str, count: int) -> frozenset[TopicPartition]:
    """Return the partitions of a topic."""
    return frozenset(TopicPartition(topic, n) for n in range(count))
