"""What the loops must do on any bus: run in memory, and on Kafka."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from kit.bus.deadletter import letters, replay
from kit.bus.loops import BatchLoop, DirectReader, ReaderLoop
from kit.bus.ports import Bus, BusAway, Consumer, Message, Producer, Record, TopicPartition
from kit.errors import Dead, Fenced, PassedOver, Retry, Unavailable, Unprocessable
from kit.metrics import Metrics
from tests.suites.bus import MakeTopic
from tests.suites.loop_rig import (
    Seen,
    batch_loop,
    fill,
    key_of,
    letters_if,
    noting,
    noting_one,
    running,
    single_loop,
    strange_letters,
)
from tests.waiting import PATIENCE_S, eventually


class LoopsSuite(ABC):
    """Subclassed once per bus, with fixtures `bus` and `make_topic`."""

    @pytest.fixture
    async def producer(self, bus: Bus) -> AsyncIterator[Producer]:
        producer = bus.producer()
        await producer.start()
        yield producer
        await producer.stop()

    @pytest.fixture
    async def topic(self, make_topic: MakeTopic) -> str:
        topic = await make_topic(3)
        await make_topic(1, f"dead.{topic}.g")
        return topic

    async def test_a_batch_loop_hands_over_everything_in_batches_and_commits(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        await fill(producer, topic, 250)
        first, second = Seen(), Seen()

        async with running(batch_loop(bus, producer, topic, noting(first), max_rows=100)):
            await eventually(lambda: len(first.values) == 250)
        await fill(producer, topic, 5, key=b"late")
        async with running(batch_loop(bus, producer, topic, noting(second))):
            await eventually(lambda: len(second.values) >= 5)

        assert max(first.batches) <= 100
        assert all(numbers == sorted(numbers) for numbers in first.by_key().values())
        assert set(second.by_key()) == {b"late"}

    async def test_one_bad_record_costs_one_record_and_order_is_kept_around_it(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        await fill(producer, topic, 200)
        seen = Seen()

        async def handle(records: list[Record]) -> None:
            for record in records:
                match int((record.value or b"").split(b":")[1]):
                    case 13:
                        raise Dead("unknown version", offending=record)
                    case 57:
                        raise Dead("somewhere in here")
                    case 99:
                        raise ValueError("13800138000")
                    case 100:
                        raise Unprocessable
                    case 150:
                        raise ZeroDivisionError
            seen.note(records)

        async with running(batch_loop(bus, producer, topic, handle)):
            await eventually(lambda: len(seen.values) == 195)
            dead = await eventually(lambda: letters_if(bus, topic, 5))

        reasons = sorted(letter.reason for letter in dead)
        assert reasons[0].startswith("Unprocessable invalid at")
        assert reasons[1].startswith("ValueError at")
        assert reasons[2].startswith("ZeroDivisionError at")
        assert reasons[3:] == ["somewhere in here", "unknown version"]
        assert "13800138000" not in "".join(reasons)
        assert len(set(seen.values)) == 195
        assert all(numbers == sorted(numbers) for numbers in seen.by_key().values())

    async def test_a_handler_that_fails_twice_and_then_succeeds_leaves_no_dead_letter(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        await fill(producer, topic, 1)
        seen, failures = Seen(), [ValueError(), ValueError()]

        async def handle(records: list[Record]) -> None:
            if failures:
                raise failures.pop()
            seen.note(records)

        async with running(batch_loop(bus, producer, topic, handle)):
            await eventually(lambda: seen.values)

        assert await letters(bus, f"{topic}.g") == []

    async def test_what_a_release_does_not_know_is_counted_and_left_behind(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        await fill(producer, topic, 40)
        seen, metrics = Seen(), Metrics()

        async def handle(record: Record) -> None:
            if int((record.value or b"").split(b":")[1]) % 4 == 0:
                raise PassedOver("no event of this type is known here")
            seen.note([record])

        async with running(single_loop(bus, producer, topic, handle, metrics=metrics)):
            await eventually(lambda: len(seen.values) == 30)
            counted = metrics.unknown_events.labels(f"{topic}.g", topic)
            await eventually(lambda: counted._value.get() == 10)

        assert await letters(bus, f"{topic}.g") == []

    async def test_what_is_retried_comes_again_in_order_and_nothing_is_lost(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        await fill(producer, topic, 60)
        seen, troubles = Seen(), [Retry("database away"), Unavailable()]

        async def handle(records: list[Record]) -> None:
            if troubles:
                raise troubles.pop()
            seen.note(records)

        async with running(batch_loop(bus, producer, topic, handle)):
            await eventually(lambda: len(seen.values) == 60)

        assert all(numbers == sorted(numbers) for numbers in seen.by_key().values())
        assert await letters(bus, f"{topic}.g") == []

    async def test_a_partition_that_waits_for_a_retry_does_not_hold_up_the_others(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        await fill(producer, topic, 60)
        seen, well = Seen(), asyncio.Event()

        async def handle(record: Record) -> None:
            if record.partition == 0 and not well.is_set():
                raise Retry("its database is away")
            seen.note([record])

        async with running(single_loop(bus, producer, topic, handle)):
            homes = [await producer.partition_for(topic, key_of(n)) for n in range(60)]
            others = sum(1 for home in homes if home != 0)
            assert 0 < others < 60
            await eventually(lambda: len(seen.values) == others)
            well.set()
            await eventually(lambda: len(seen.values) == 60)

        assert all(numbers == sorted(numbers) for numbers in seen.by_key().values())

    async def test_a_fenced_handler_joins_again_and_reads_from_its_stored_position(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        await fill(producer, topic, 30)
        stored: dict[TopicPartition, int] = {}
        troubles = [Fenced("another owner")]
        assigned: list[int] = []
        revoked: list[int] = []

        async def came(consumer: Consumer, partitions: frozenset[TopicPartition]) -> None:
            assigned.append(len(partitions))
            for tp in partitions:
                consumer.seek(tp, stored.get(tp, 0))

        async def going(_: Consumer, partitions: frozenset[TopicPartition]) -> None:
            revoked.append(len(partitions))

        async def handle(records: list[Record]) -> None:
            if troubles:
                raise troubles.pop()
            stored.update({record.tp: record.offset + 1 for record in records})

        loop = BatchLoop(
            bus,
            topics=[topic],
            group=f"{topic}.g",
            handle=handle,
            dead_letters=None,
            policy=None,
            on_assigned=came,
            on_revoked=going,
        )
        async with running(loop):
            await eventually(lambda: sum(stored.values()) == 30)

        assert assigned == [3, 3]
        assert revoked == [3, 3]

    async def test_stopping_lets_the_batch_in_hand_finish_and_commits_it(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        await fill(producer, topic, 10)
        begun, go_on, again = asyncio.Event(), asyncio.Event(), Seen()

        async def handle(_: list[Record]) -> None:
            begun.set()
            await go_on.wait()

        loop = batch_loop(bus, producer, topic, handle)
        async with running(loop):
            await begun.wait()
            stopping = asyncio.create_task(loop.stop())
            await asyncio.sleep(0)
            assert not stopping.done()
            go_on.set()
            await stopping
        await fill(producer, topic, 3, key=b"late")
        async with running(batch_loop(bus, producer, topic, noting(again))):
            await eventually(lambda: len(again.values) >= 3)

        assert b"late" in again.by_key()
        assert len(again.values) < 13, "what was settled before the stop was not committed"

    async def test_dead_letters_are_replayed_from_their_source_and_then_settled(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        await fill(producer, topic, 20)
        group, seen = f"{topic}.g", Seen()

        async def handle(record: Record) -> None:
            if (record.value or b"").endswith((b":3", b":7")):
                raise Dead("not yet understood")
            seen.note([record])

        async with running(single_loop(bus, producer, topic, handle)):
            await eventually(lambda: len(seen.values) == 18)
        replayed = Seen()

        async def wiser(record: Record) -> None:
            if (record.value or b"").endswith(b":7"):
                raise ValueError
            replayed.note([record])

        first = await replay(bus, group, wiser)
        left = await letters(bus, group)
        second = await replay(bus, group, noting_one(replayed))

        assert (first.done, first.failed, first.gone) == (1, 1, 0)
        assert [letter.reason for letter in left] == ["not yet understood"]
        assert (second.done, second.failed, second.gone) == (1, 0, 0)
        assert sorted(value[-2:] for value in replayed.values) == [b":3", b":7"]
        assert await letters(bus, group) == []

    async def test_what_strangers_wrote_on_a_dead_letter_topic_harms_no_list_and_no_replay(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        await fill(producer, topic, 5)
        group, seen = f"{topic}.g", Seen()

        async def handle(record: Record) -> None:
            if (record.value or b"").endswith(b":3"):
                raise Dead("not yet understood")
            seen.note([record])

        for value in strange_letters(topic):
            await producer.send(Message(f"dead.{group}", b"k" * 100_000, value))
        async with running(single_loop(bus, producer, topic, handle)):
            await eventually(lambda: len(seen.values) == 4)
        before = await letters(bus, group)
        report = await replay(bus, group, noting_one(seen))
        left = await letters(bus, group)

        assert [one.reason for one in before if one.reason] == ["not yet understood"]
        assert (report.done, report.failed, report.gone) == (1, 0, len(left))
        assert {one.topic for one in left} == {"no.such.topic", topic}

    async def test_two_members_share_the_work_and_lose_none_of_it_when_one_leaves(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        first, second = Seen(), Seen()
        leaving = single_loop(bus, producer, topic, noting_one(first))
        staying = single_loop(bus, producer, topic, noting_one(second))

        async with running(staying):
            async with running(leaving):
                sent = 0
                while not (first.values and second.values):
                    await fill(producer, topic, 30, start=sent)
                    sent += 30
                    await eventually(
                        lambda: len({*first.values, *second.values}) == sent,  # noqa: B023 - now
                    )
            await fill(producer, topic, 30, start=sent)
            await eventually(lambda: len({*first.values, *second.values}) == sent + 30)

    async def test_a_reader_says_when_it_has_caught_up_and_skips_what_it_cannot_handle(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        await fill(producer, topic, 50)
        seen = Seen()

        async def handle(records: list[Record]) -> None:
            if any((record.value or b"").endswith(b":7") for record in records):
                raise ValueError
            seen.note(records)

        loop = ReaderLoop(bus, topics=[topic], name="reader", handle=handle)
        with pytest.raises(Unavailable, match="still reading"):
            await loop.ping()
        async with running(loop):
            async with asyncio.timeout(PATIENCE_S):
                await loop.caught_up.wait()
            assert len(seen.values) == 49
            await loop.ping()
            await fill(producer, topic, 5, key=b"live")
            await eventually(lambda: len(seen.by_key()[b"live"]) == 5)

    @pytest.mark.parametrize("kind", ["settled", "direct"])
    async def test_a_reader_has_caught_up_with_a_topic_whose_last_offset_brings_no_record(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic, kind: str
    ) -> None:
        topic = await make_topic(1)
        await fill(producer, topic, 9)
        await self.end_in_a_gap(bus, topic)
        seen = Seen()
        loop = reader_of(kind, bus, topic, seen)
        async with running(loop):
            async with asyncio.timeout(PATIENCE_S):
                await loop.caught_up.wait()
            await loop.ping()
            assert len(seen.values) >= 1
            before = len(seen.values)
            await fill(producer, topic, 2, key=b"live")
            await eventually(lambda: len(seen.values) == before + 2)

    @abstractmethod
    async def end_in_a_gap(self, bus: Bus, topic: str) -> None:
        """Let the topic's last offset bring no record, as this bus leaves such gaps."""

    async def test_a_direct_reader_begins_where_it_is_told_and_knows_the_end(
        self, bus: Bus, producer: Producer, make_topic: MakeTopic
    ) -> None:
        topic = await make_topic(1)
        await fill(producer, topic, 20)
        seen = Seen()
        place = TopicPartition(topic, 0)

        async def begin(consumer: Consumer) -> dict[TopicPartition, int]:
            return dict.fromkeys(consumer.assignment(), 15)

        loop = DirectReader(bus, topics=[topic], name="reader", take=seen.note, begin=begin)
        with pytest.raises(BusAway):
            await loop.end_of(place)
        async with running(loop):
            async with asyncio.timeout(PATIENCE_S):
                await loop.caught_up.wait()
            assert len(seen.values) == 5
            assert await loop.end_of(place) == 20

    async def test_a_reader_can_begin_at_the_end(
        self, bus: Bus, producer: Producer, topic: str
    ) -> None:
        await fill(producer, topic, 20)
        seen = Seen()
        await asyncio.sleep(0.01)  # the records' own milliseconds must be over

        loop = ReaderLoop(
            bus, topics=[topic], name="reader", handle=noting(seen), back=timedelta(0)
        )
        async with running(loop):
            async with asyncio.timeout(PATIENCE_S):
                await loop.caught_up.wait()
            await fill(producer, topic, 3, key=b"new")
            await eventually(lambda: len(seen.values) >= 3)

        assert set(seen.by_key()) == {b"new"}

    async def test_an_empty_topic_is_caught_up_at_once(self, bus: Bus, topic: str) -> None:
        loop = ReaderLoop(bus, topics=[topic], name="reader", handle=noting(Seen()))
        async with running(loop):
            async with asyncio.timeout(PATIENCE_S):
                await loop.caught_up.wait()
            await eventually(lambda: loop.healthy)


def reader_of(kind: str, bus: Bus, topic: str, seen: Seen) -> ReaderLoop:
    """Return a reader of either kind that remembers."""
    if kind == "direct":
        return DirectReader(bus, topics=[topic], name="reader", take=seen.note)
    return ReaderLoop(bus, topics=[topic], name="reader", handle=noting(seen))
