"""What a group must do when record after record is poison, on any bus: in memory, and on Kafka."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from typing_extensions import override

from kit.bus.deadletter import letters, replay
from kit.bus.group import GroupLoop
from kit.bus.ports import Bus, Message, Producer, Record
from kit.bus.resting import FIRST_REST_S, IN_A_ROW, NEXT_REST_S
from kit.clock import SystemClock
from kit.errors import Dead, Unavailable
from kit.metrics import Metrics
from tests.suites.bus import MakeTopic
from tests.suites.loop_rig import Seen, batch_loop, letters_if, noting_one, running, single_loop
from tests.waiting import eventually

POISON = [b"poison %d" % number for number in range(40)]

A_HANDFUL = 5

Refuse = Callable[[Record], bool]


class Hasty(SystemClock):
    """A clock of which `haste` seconds are one of ours."""

    def __init__(self, haste: int) -> None:
        super().__init__()
        self._haste = haste

    @override
    def monotonic(self) -> float:
        return time.monotonic() * self._haste

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._haste)


def is_poison(record: Record) -> bool:
    """Tell what a visitor wrote who wants to break something."""
    return (record.value or b"").startswith(b"poison")


def never(_: Record) -> bool:
    """Tell that nothing breaks."""
    return False


@dataclass
class Rig:
    """A topic and the group that reads it, by one kind of loop."""

    kind: str
    bus: Bus
    producer: Producer
    topic: str
    haste: int = 10
    rested: bool = False
    """Whether the group ever rested while its handler was called."""
    calls: int = 0
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def group(self) -> str:
        """The usual group of the topic."""
        return f"{self.topic}.g"

    @property
    def rests(self) -> float | None:
        """How often the group rested."""
        name = "peakdesk_consumer_rests_total"
        return self.metrics.registry.get_sample_value(name, {"group": self.group})

    async def send(self, values: Sequence[bytes], key: bytes = b"") -> None:
        """Send records, each under its own key, or all under one."""
        messages = [Message(self.topic, key or b"key of %b" % one, one) for one in values]
        await asyncio.gather(*await self.producer.send_all(messages))

    def wise_loop(self, seen: Seen, refuse: Refuse, fails: Refuse) -> GroupLoop:
        """Return a batch loop that tells all it refuses at once; it breaks at what `fails` says."""

        async def handle(records: list[Record]) -> None:
            self.calls += 1
            self.rested = self.rested or loop.rests_because is not None
            dead = [Dead("not one of ours", record) for record in records if refuse(record)]
            if dead:
                raise Dead.all_of(dead)
            if any(map(fails, records)):
                raise ZeroDivisionError
            seen.note(records)

        loop = batch_loop(self.bus, self.producer, self.topic, handle, clock=Hasty(self.haste))
        return loop

    def loop(self, seen: Seen, refuse: Refuse, *, foreseen: bool = False) -> GroupLoop:
        """Return a loop, in haste, that sets aside what `refuse` says."""

        async def handle(records: list[Record]) -> None:
            self.rested = self.rested or loop.rests_because is not None
            for record in records:
                if refuse(record):
                    raise Dead("not one of ours", record, foreseen=foreseen)
            seen.note(records)

        async def handle_one(record: Record) -> None:
            await handle([record])

        kept: Any = {"clock": Hasty(self.haste), "metrics": self.metrics}
        loop: GroupLoop = (
            batch_loop(self.bus, self.producer, self.topic, handle, **kept)
            if self.kind == "batch"
            else single_loop(self.bus, self.producer, self.topic, handle_one, **kept)
        )
        return loop


class RestsSuite:
    """Subclassed once per bus, with fixtures `bus` and `make_topic`."""

    haste: ClassVar[int] = 10
    """A trial has two seconds of the loop's for a letter per record: on a broker fewer fit."""

    @pytest.fixture(params=["batch", "single"])
    async def rig(
        self, bus: Bus, make_topic: MakeTopic, request: pytest.FixtureRequest
    ) -> AsyncIterator[Rig]:
        producer = bus.producer()
        await producer.start()
        rig = Rig(request.param, bus, producer, await make_topic(3), self.haste)
        await make_topic(1, f"dead.{rig.group}")
        yield rig
        await producer.stop()

    @pytest.fixture
    async def narrow(self, bus: Bus, make_topic: MakeTopic) -> AsyncIterator[Rig]:
        """One partition, read by a loop whose handler tells all it refuses at once."""
        producer = bus.producer()
        await producer.start()
        rig = Rig("batch", bus, producer, await make_topic(1), self.haste)
        await make_topic(1, f"dead.{rig.group}")
        yield rig
        await producer.stop()

    async def test_forty_visitors_with_one_poison_each_delay_an_honest_buyer_by_one_rest(
        self, rig: Rig, make_topic: MakeTopic
    ) -> None:
        rig.haste = self.haste // 2  # one trial has twenty letters to write
        rig.topic = await make_topic(1)  # he stands behind them all
        await make_topic(1, f"dead.{rig.group}")
        await rig.send([*POISON, b"honest"])
        seen = Seen()

        started = time.monotonic()
        async with running(loop := rig.loop(seen, is_poison)):
            await eventually(lambda: seen.values)
            took = (time.monotonic() - started) * rig.haste
            found = await eventually(lambda: letters_if(rig.bus, rig.topic, 40))
            await eventually(lambda: loop.healthy)

        assert took >= FIRST_REST_S
        assert rig.rests == 1
        assert seen.values == [b"honest"]
        assert {letter.reason for letter in found} == {"not one of ours"}

    async def test_a_release_that_handles_nothing_costs_one_record_a_rest_and_mends_by_itself(
        self, rig: Rig
    ) -> None:
        good = [b"%d" % number for number in range(60)]
        await rig.send(good)
        seen, broken = Seen(), [True]

        async with running(loop := rig.loop(seen, lambda _: bool(broken))):
            await eventually(lambda: loop.rests_because)
            began = time.monotonic()
            with pytest.raises(Unavailable, match="rests after 20 dead letters in a row"):
                await loop.ping()
            await asyncio.sleep((FIRST_REST_S + NEXT_REST_S + 5) / rig.haste)
            poured = len(await letters(rig.bus, rig.group))
            trials = 1 + int((time.monotonic() - began) * rig.haste / NEXT_REST_S)
            broken.clear()
            await eventually(lambda: loop.healthy)
            await eventually(lambda: len(seen.values) >= 60 - poured - 1)
        lost, again = set(good) - set(seen.values), Seen()
        await replay(rig.bus, rig.group, noting_one(again))

        assert IN_A_ROW < poured <= IN_A_ROW + trials
        assert poured <= len(lost) <= poured + 1
        assert set(again.values) == lost
        assert len(seen.values) == len(set(seen.values))

    async def test_a_restart_in_the_middle_of_a_rest_goes_on_at_the_record_in_question(
        self, rig: Rig
    ) -> None:
        before = [b"before %d" % number for number in range(30)]
        await rig.send(before)
        seen, again = Seen(), Seen()
        async with running(loop := rig.loop(seen, is_poison)):
            await eventually(lambda: len(seen.values) == 30)
            await rig.send(POISON[:30])
            await eventually(lambda: loop.rests_because)

        async with running(rig.loop(again, lambda _: False)):
            await eventually(lambda: len(again.values) >= 10)

        assert len(await letters(rig.bus, rig.group)) == IN_A_ROW
        assert sorted(seen.values) == sorted(before)
        assert not {*again.values} & {*before}, "what came before was not committed"
        assert len(again.values) == 30 - IN_A_ROW

    async def test_when_only_poison_is_left_the_group_is_well_again_once_all_of_it_is_set_aside(
        self, rig: Rig
    ) -> None:
        await rig.send(POISON[:22])
        async with running(loop := rig.loop(Seen(), is_poison)):
            await eventually(lambda: loop.rests_because)
            await eventually(lambda: letters_if(rig.bus, rig.topic, 22))
            await eventually(lambda: loop.healthy)

    async def test_one_conversation_full_of_poison_makes_nobody_rest(self, rig: Rig) -> None:
        await rig.send([*POISON, b"honest"], key=b"one conversation")
        seen = Seen()

        async with running(rig.loop(seen, is_poison)):
            await eventually(lambda: seen.values == [b"honest"])

        assert not rig.rested
        assert len(await letters(rig.bus, rig.group)) == 40

    async def test_what_was_foreseen_counts_towards_no_rest(self, rig: Rig) -> None:
        await rig.send([*POISON, b"honest"])
        seen = Seen()

        async with running(rig.loop(seen, is_poison, foreseen=True)):
            await eventually(lambda: seen.values == [b"honest"])
            await eventually(lambda: letters_if(rig.bus, rig.topic, 40))

        assert not rig.rested

    async def test_forty_poisons_among_two_hundred_cost_a_handful_of_calls(
        self, narrow: Rig
    ) -> None:
        honest = [b"%d" % number for number in range(160)]
        await narrow.send(
            [one for n in range(40) for one in (*honest[4 * n : 4 * n + 4], POISON[n])]
        )
        seen = Seen()

        async with running(loop := narrow.wise_loop(seen, is_poison, never)):
            await eventually(lambda: len(seen.values) == 160)
            found = await eventually(lambda: letters_if(narrow.bus, narrow.topic, 40))
            assert loop.healthy

        assert narrow.calls <= A_HANDFUL
        assert not narrow.rested
        assert seen.values == honest
        assert len({letter.place for letter in found}) == 40

    async def test_told_at_once_or_not_the_row_is_the_one_in_the_log(self, narrow: Rig) -> None:
        lucky = [*POISON[:20], b"honest", *POISON[20:], b"honest too"]
        await narrow.send(lucky)
        seen = Seen()

        async with running(narrow.wise_loop(seen, is_poison, never)):
            await eventually(lambda: seen.values == [b"honest", b"honest too"])

        assert not narrow.rested
        assert len(await letters(narrow.bus, narrow.group)) == 40

    async def test_letters_written_before_a_rest_that_nobody_foresaw_are_taken_back(
        self, narrow: Rig
    ) -> None:
        await narrow.send([b"first", *POISON[:15], b"breaks", *POISON[15:30], b"honest"])
        seen = Seen()

        async with running(
            loop := narrow.wise_loop(seen, is_poison, lambda one: one.value == b"breaks")
        ):
            await eventually(lambda: loop.rests_because)
        found = await letters(narrow.bus, narrow.group)

        assert sorted(letter.offset for letter in found) == list(range(1, 1 + IN_A_ROW))
        assert seen.values == [b"first"]
