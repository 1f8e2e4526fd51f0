"""Loops: consumers as roles that pause, resume, commit, drain, rejoin and watch themselves.

Know no event. A handler is given records and answers by returning, or by a verdict of `kit.errors`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final, TypeAlias

import structlog
from typing_extensions import override

from kit.bus.burying import AfterDead
from kit.bus.deadletter import DeadLetters
from kit.bus.group import EACH_BATCH, EVERY_SECOND, CommitAfter, GroupLoop
from kit.bus.passing import Unknown
from kit.bus.ports import Bus, BusAway, Consumer, OnPartitions, Record, TopicPartition
from kit.bus.session import Loop
from kit.bus.settling import Deferred, Handle, RetryPolicy
from kit.bus.watchdog import PATIENCE, Patience
from kit.clock import Clock, SystemClock
from kit.errors import Fenced, PassedOver, Unavailable
from kit.metrics import Metrics
from kit.telemetry import continued

log = structlog.get_logger()

READ_ROWS: Final = 1000
"""Records handed to a reader's handler at once, at most."""

SINGLE_ROWS: Final = 100
"""Records that a `SingleLoop` has in hand, at most."""

LANES: Final = 8
"""Partitions that a `SingleLoop` handles at the same time; each by itself stays in order."""

__all__ = [
    "EACH_BATCH",
    "EVERY_SECOND",
    "BatchLoop",
    "CommitAfter",
    "DirectReader",
    "ReaderLoop",
    "SingleLoop",
]

HandleOne: TypeAlias = Callable[[Record], Awaitable[None]]

Places: TypeAlias = Mapping[TopicPartition, int]

Begin: TypeAlias = Callable[[Consumer], Awaitable[Places]]
"""Asks a started consumer where each partition is to be read from; may raise as asking does."""

Take: TypeAlias = Callable[[list[Record]], None]
"""Given one poll's records of one partition; neither waits nor raises."""


class BatchLoop(GroupLoop):
    """Hands over what the bus gathered in `max_wait_ms`, at most `max_rows`, partitions mixed.

    The handler's effects are all or nothing per call. `policy` None: the handler itself stores
    offsets beside its effects, and `on_assigned` seeks to them (H19); it may raise `Fenced`.
    """

    def __init__(  # noqa: PLR0913 - by keyword; most have the default that services use
        self,
        bus: Bus,
        *,
        topics: Sequence[str],
        group: str,
        handle: Handle,
        dead_letters: DeadLetters | None,
        max_rows: int = 200,
        max_wait_ms: int = 100,
        policy: CommitAfter | None = EVERY_SECOND,
        after_dead: AfterDead | None = None,
        on_assigned: OnPartitions | None = None,
        on_revoked: OnPartitions | None = None,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        clock, metrics = clock or SystemClock(), metrics or Metrics()
        super().__init__(
            bus,
            topics=topics,
            group=group,
            retry=RetryPolicy(
                handle,
                name=group,
                clock=clock,
                metrics=metrics,
                dead_letters=dead_letters,
                after_dead=after_dead,
            ),
            clock=clock,
            metrics=metrics,
            patience=patience,
            policy=policy,
            on_assigned=on_assigned,
            on_revoked=on_revoked,
        )
        self._max_rows = max_rows
        self._gather_ms = max_wait_ms

    @override
    async def _deliver(self, consumer: Consumer, records: list[Record]) -> None:
        self._metrics.batch_rows.labels(self._name).observe(len(records))
        later = await self._retry.settle(records)
        self._account(consumer, records, later)


class SingleLoop(GroupLoop):
    """Hands over one record at a time, in order per partition, several partitions at once."""

    _max_rows = SINGLE_ROWS

    def __init__(  # noqa: PLR0913 - by keyword; most have the default that services use
        self,
        bus: Bus,
        *,
        topics: Sequence[str],
        group: str,
        handle: HandleOne,
        dead_letters: DeadLetters | None,
        policy: CommitAfter | None = EVERY_SECOND,
        after_dead: AfterDead | None = None,
        on_assigned: OnPartitions | None = None,
        on_revoked: OnPartitions | None = None,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        clock, metrics = clock or SystemClock(), metrics or Metrics()

        unknown = Unknown(group, metrics)

        async def handle_one(records: list[Record]) -> None:
            for record in records:
                try:
                    with continued(record):
                        await handle(record)
                except PassedOver:
                    unknown.pass_over(record)

        super().__init__(
            bus,
            topics=topics,
            group=group,
            retry=RetryPolicy(
                handle_one,
                name=group,
                clock=clock,
                metrics=metrics,
                dead_letters=dead_letters,
                after_dead=after_dead,
            ),
            clock=clock,
            metrics=metrics,
            patience=patience,
            policy=policy,
            on_assigned=on_assigned,
            on_revoked=on_revoked,
        )

    @override
    async def _deliver(self, consumer: Consumer, records: list[Record]) -> None:
        lanes: dict[TopicPartition, list[Record]] = {}
        for record in records:
            lanes.setdefault(record.tp, []).append(record)
        free = asyncio.Semaphore(LANES)
        stops: list[Fenced] = []

        async def work(lane: list[Record]) -> Deferred | None:
            async with free:
                for place, record in enumerate(lane):
                    try:
                        later = await self._retry.settle([record])
                    except Fenced as stop:
                        stops.append(stop)
                        self._over = True
                        later = Deferred(stop.reason, [record])
                    if later is not None:
                        return Deferred(later.reason, lane[place:], later.at_once)
            return None

        ends = await asyncio.gather(*map(work, lanes.values()))
        for lane, later in zip(lanes.values(), ends, strict=True):
            self._account(consumer, lane, later)
        if stops:
            raise stops[0]


class ReaderLoop(Loop):
    """Reads all partitions without a group and commits nothing; each process has its own.

    Begins at the oldest record, `back` before now (zero: at the end), or where `begin` says. A
    record that cannot be handled is counted and skipped. `caught_up` is set at the end offsets seen
    at the start.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        topics: Sequence[str],
        name: str,
        handle: Handle,
        back: timedelta | None = None,
        begin: Begin | None = None,
        max_rows: int = READ_ROWS,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        clock, metrics = clock or SystemClock(), metrics or Metrics()
        super().__init__(
            bus,
            topics=topics,
            name=name,
            retry=RetryPolicy(handle, name=name, clock=clock, metrics=metrics, dead_letters=None),
            clock=clock,
            metrics=metrics,
            patience=patience,
        )
        self._begin_at = begin or self._from_before
        self._back = back
        self._max_rows = max_rows
        self._next: dict[TopicPartition, int] = {}
        self._goal: dict[TopicPartition, int] | None = None
        self.caught_up = asyncio.Event()

    @override
    async def ping(self) -> None:
        """Return if healthy and caught up with what was there at the start."""
        if not self.caught_up.is_set():
            raise Unavailable(f"{self._name}: still reading what was there at the start")
        await super().ping()

    async def end_of(self, tp: TopicPartition) -> int:
        """Return the offset that the next record of a log will get. Raises `BusAway`."""
        if self._consumer is None:
            raise BusAway(f"{self._name} is not connected.")
        return (await self._consumer.end_offsets([tp]))[tp]

    @override
    def _make_consumer(self) -> Consumer:
        return self._bus.reader(self._topics)

    @override
    async def _begin(self, consumer: Consumer) -> None:
        mine = consumer.assignment()
        if not self._next:
            self._next = dict(await self._begin_at(consumer))
        for tp, offset in self._next.items():
            consumer.seek(tp, offset)
        if self._goal is None:
            self._goal = await consumer.end_offsets(mine)
        await self._check_caught_up(consumer)

    @override
    async def _work(self, consumer: Consumer) -> None:
        while not self._stopping.is_set():
            fetched = await consumer.getmany(self._poll_ms(), max_records=self._max_rows)
            for tp, records in fetched.items():
                await self._hand_over(consumer, tp, records)
            if not self.caught_up.is_set():
                await self._check_caught_up(consumer)
            self._backoff.resume_due(consumer)
            self._measure(consumer)

    @override
    def _due(self) -> bool:
        return super()._due() or not self.caught_up.is_set()

    async def _hand_over(
        self, consumer: Consumer, tp: TopicPartition, records: list[Record]
    ) -> None:
        later = await self._retry.settle(records)
        if later is None:
            self._next[tp] = records[-1].offset + 1
            self._settled(records)
        else:
            self._next[tp] = later.records[0].offset
            self._backoff.defer(consumer, later)

    async def _from_before(self, consumer: Consumer) -> Places:
        if self._back is None:
            return {}
        since = self._clock.now_ms() - round(self._back.total_seconds() * 1000)
        return await consumer.offsets_for_times(dict.fromkeys(consumer.assignment(), since))

    async def _check_caught_up(self, consumer: Consumer) -> None:
        goal = self._goal or {}
        for tp, end in list(goal.items()):
            # Not the last record's offset: a compacted topic may end in a gap.
            if tp in self._backoff or await consumer.position(tp) < end:
                return
            del goal[tp]
        self.caught_up.set()
        log.info("bus.reader.caught_up", name=self._name)


class DirectReader(ReaderLoop):
    """A reader between whose polls and whose handler nothing stands: `take` counts for itself.

    For topics of which every process reads every record and each is handled in microseconds.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        topics: Sequence[str],
        name: str,
        take: Take,
        begin: Begin | None = None,
        max_rows: int = READ_ROWS,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        async def handle(records: list[Record]) -> None:
            take(records)

        super().__init__(
            bus,
            topics=topics,
            name=name,
            handle=handle,
            begin=begin,
            max_rows=max_rows,
            clock=clock,
            metrics=metrics,
            patience=patience,
        )
        self._take = take

    @override
    async def _hand_over(
        self, consumer: Consumer, tp: TopicPartition, records: list[Record]
    ) -> None:
        self._take(records)
        self._next[tp] = records[-1].offset + 1
        self._watchdog.progress()
