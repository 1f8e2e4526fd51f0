"""Where partitions end is asked within a limit, and on a new connection after a failure."""

import asyncio
from collections.abc import Collection

import pytest
from typing_extensions import override

from kit.bus.memory import MemoryBus, MemoryConsumer
from kit.bus.ports import BusAway, Consumer, Message, TopicPartition
from services.monitor.fold import deadlines, ends
from services.monitor.fold.ends import Ends
from services.monitor.settings import Settings
from services.monitor.waiting.waits import SETTLE_MS

pytestmark = pytest.mark.unit

TP = TopicPartition("chat", 0)


class Mute(MemoryConsumer):
    """A consumer whose broker takes every question and answers none."""

    @override
    async def end_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        await asyncio.Event().wait()
        raise AssertionError("nobody answers")


class MuteAtFirst(MemoryBus):
    """A bus whose first consumer is mute."""

    opened = 0

    @override
    def reader(self, topics: Collection[str]) -> Consumer:
        self.opened += 1
        made = Mute if self.opened == 1 else MemoryConsumer
        return made(self, list(topics))


async def test_the_end_is_asked_for_on_one_connection_that_reads_nothing() -> None:
    bus = MemoryBus(partitions=1)
    producer, asking = bus.producer(), Ends(bus)

    assert await asking.ask([TP]) == {TP: 0}
    await producer.send(Message("chat", b"k", b"v"))
    assert await asking.ask([TP]) == {TP: 1}
    await asking.close()


async def test_a_connection_that_answers_nothing_is_given_up_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ends, "ASK_S", 0.01)
    bus = MuteAtFirst(partitions=1)
    asking = Ends(bus)

    with pytest.raises(BusAway, match="No answer"):
        await asking.ask([TP])

    assert await asking.ask([TP]) == {TP: 0}
    assert await asking.ask([TP]) == {TP: 0}
    assert bus.opened == 2


def test_all_that_a_threshold_waits_for_is_at_most_nine_tenths_of_a_second() -> None:
    pauses_ms = 1_000 * (deadlines.PROBES_S + deadlines.TICK_S)

    assert SETTLE_MS + Settings().fold_wait_ms + round(pauses_ms) <= 900
