"""The rests' suite on the bus in memory."""

import pytest
from typing_extensions import override

from kit.bus.memory import MemoryBus, MemoryConsumer
from kit.bus.ports import Record, TopicPartition
from tests.suites.loop_rig import Seen, running
from tests.suites.rests import RestsSuite, Rig
from tests.waiting import eventually

pytestmark = pytest.mark.unit

MANY = [b"%d" % number for number in range(120)]


class TestRestsOnMemory(RestsSuite):
    """Everything the suite asks."""


class LateConsumer(MemoryConsumer):
    """Brings one partition a poll, and knows of no other what came since its last answer."""

    _polls = False

    @override
    async def getmany(
        self, timeout_ms: int, max_records: int | None = None
    ) -> dict[TopicPartition, list[Record]]:
        behind = sorted(tp for tp, left in super().lag().items() if left)
        later = [tp for tp in behind[1:] if tp not in self.paused()]
        self.pause(later)
        self._polls = True
        try:
            return await super().getmany(timeout_ms, max_records)
        finally:
            self._polls = False
            self.resume(later)

    @override
    def lag(self) -> dict[TopicPartition, int]:
        return super().lag() if self._polls else dict.fromkeys(self.assignment(), 0)


async def test_a_trial_has_what_is_in_the_log_and_not_what_its_consumer_knows_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kit.bus.memory.MemoryConsumer", LateConsumer)
    bus = MemoryBus()
    bus.add_topic("t", 3)
    bus.add_topic("dead.t.g", 1)
    producer = bus.producer()
    await producer.start()
    rig, seen = Rig("single", bus, producer, "t"), Seen()
    homes = {one: await producer.partition_for("t", b"key of %b" % one) for one in MANY}
    poison = [one for one, home in homes.items() if home == 0][:25]
    honest = next(one for one, home in homes.items() if home == 2)
    await rig.send(poison)

    async with running(loop := rig.loop(seen, lambda one: one.value != honest)):
        await eventually(lambda: loop.rests_because)
        await rig.send([honest])
        await eventually(lambda: seen.values == [honest])

    assert rig.rests == 1
    await producer.stop()
