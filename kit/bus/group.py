"""A member of a group: which partitions are its own, what it has in hand, what it may commit.

Knows no handler's shape; the loops of `kit.bus.loops` fill its hand and empty it.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from typing_extensions import override

from kit.bus.ports import Bus, Consumer, OnPartitions, Record, TopicPartition
from kit.bus.session import Loop
from kit.bus.settling import Deferred, RetryPolicy
from kit.bus.trial import Trial
from kit.bus.watchdog import Patience
from kit.clock import Clock
from kit.errors import Fenced, Unavailable
from kit.metrics import Metrics

log = structlog.get_logger()


@dataclass(frozen=True)
class CommitAfter:
    """Commit once this many records are settled, or this long after the last commit."""

    records: int = 1
    seconds: float = 1.0


TRIAL_ROWS: Final = 2000
"""Records looked at after a rest, at most: more than a batch, so that every partition has its."""

TRIAL_GATHER_S: Final = 1.0
"""How long they are gathered: partitions that were paused wait for a fetch under way, 0.5 s."""

EACH_BATCH: Final = CommitAfter()
EVERY_SECOND: Final = CommitAfter(records=5000)
"""A commit costs a request; after a crash a second's worth of records is handled again."""


class GroupLoop(Loop):
    """A member of a group: knows which partitions are its own, and what it may commit."""

    _gather_ms = 0
    """How long the bus may hold records back, so that few polls bring many."""

    _max_rows: int
    """Records in hand at most."""

    def __init__(
        self,
        bus: Bus,
        *,
        topics: Sequence[str],
        group: str,
        retry: RetryPolicy,
        clock: Clock,
        metrics: Metrics,
        patience: Patience,
        policy: CommitAfter | None,
        on_assigned: OnPartitions | None,
        on_revoked: OnPartitions | None,
    ) -> None:
        super().__init__(
            bus,
            topics=topics,
            name=group,
            retry=retry,
            clock=clock,
            metrics=metrics,
            patience=patience,
        )
        self._policy = policy
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._mine: set[TopicPartition] = set()
        self._in_hand: list[Record] = []
        self._settling = asyncio.Lock()
        self._next: dict[TopicPartition, int] = {}
        self._uncommitted = 0
        self._committed_at = clock.monotonic()
        self._over = False

    @override
    def _make_consumer(self) -> Consumer:
        return self._bus.group_consumer(
            self._topics,
            group=self._name,
            on_assigned=self._came,
            on_revoked=self._going,
            gather_ms=self._gather_ms,
        )

    @override
    async def _work(self, consumer: Consumer) -> None:
        rests = self._retry.rests
        while not self._stopping.is_set():
            if rests.left_s:
                await self._rest(rests.left_s)
                continue
            self._backoff.resume_due(consumer)
            resting, since = rests.reason is not None, self._clock.monotonic()
            whole = False
            if resting:
                whole = await self._gather(consumer, until=since + TRIAL_GATHER_S)
            else:
                await self._collect(consumer, self._max_rows)
            async with self._settling:
                records, self._in_hand = self._in_hand, []
                if records and resting:
                    await self._try_again(consumer, records, since=since)
                elif records:
                    await self._deliver(consumer, records)
                elif whole:
                    rests.idle()
                await self._commit(consumer, now=rests.reason is not None)
            self._backoff.resume_due(consumer)
            self._measure(consumer)
        async with self._settling:
            await self._commit(consumer, now=True)

    async def _collect(self, consumer: Consumer, most: int) -> None:
        """Fill `_in_hand`. A rebalance empties it: what was in hand is read again by its owner."""
        for records in (await consumer.getmany(self._poll_ms(), max_records=most)).values():
            self._in_hand += records

    @override
    def _due(self) -> bool:
        return super()._due() or (self._policy is not None and bool(self._next))

    @abstractmethod
    async def _deliver(self, consumer: Consumer, records: list[Record]) -> None:
        """Hand records of one partition to the handler."""

    async def _gather(self, consumer: Consumer, *, until: float) -> bool:
        """Fill `_in_hand` with what all partitions have, for a trial; tell whether that is all.

        The broker is asked: what the consumer knows of a partition may be as old as the rest, and
        who was left out of a trial for it would wait for another one.
        """
        ends = await consumer.end_offsets(consumer.assignment())
        await self._collect(consumer, TRIAL_ROWS)
        while not await _reached(consumer, ends):
            room = TRIAL_ROWS - len(self._in_hand)
            if room <= 0 or self._stopping.is_set() or self._clock.monotonic() >= until:
                return False
            await self._collect(consumer, room)
        return True

    async def _try_again(self, consumer: Consumer, records: list[Record], *, since: float) -> None:
        """A rest has lasted long enough: look whether a record can be handled."""
        later = await Trial(self._retry, records, since=since, clock=self._clock).run()
        self._account(consumer, records, later)

    def _account(self, consumer: Consumer, records: list[Record], later: Deferred | None) -> None:
        """Note how far each partition is settled, and let rest what must be handed in again."""
        before = self._uncommitted
        left = {record.tp for record in later.records} if later else set()
        # Named by a plain tuple, which costs a third of a `TopicPartition` per record.
        ends = {(record.topic, record.partition): record.offset + 1 for record in records}
        self._next.update((TopicPartition(*place), end) for place, end in ends.items())
        self._uncommitted += len(records) - (len(later.records) if later else 0)
        if later is not None:
            for record in reversed(later.records):
                self._next[record.tp] = record.offset
            if not self._over:
                self._backoff.defer(consumer, later)
        if self._uncommitted > before:
            self._settled(record for record in records if record.tp not in left)

    async def _commit(self, consumer: Consumer, *, now: bool = False) -> None:
        if self._policy is None or not self._next:
            return
        waited = self._clock.monotonic() - self._committed_at
        if not (now or self._uncommitted >= self._policy.records or waited > self._policy.seconds):
            return
        try:
            await consumer.commit(self._next)
        except Fenced as fenced:
            # The records will be read again by their next owner: at least once, as promised.
            log.warning("bus.loop.commit_fenced", group=self._name, reason=fenced.reason)
        except Unavailable as away:
            log.warning("bus.loop.commit_away", group=self._name, reason=away.slug)
            return
        self._next.clear()
        self._uncommitted = 0
        self._committed_at = self._clock.monotonic()

    async def _came(self, consumer: Consumer, partitions: frozenset[TopicPartition]) -> None:
        self._mine |= partitions
        self._watchdog.progress()
        if self._on_assigned is not None:
            await self._on_assigned(consumer, partitions)

    async def _going(self, consumer: Consumer, partitions: frozenset[TopicPartition]) -> None:
        """Wait for the batch under way and commit it, before another owner begins."""
        async with self._settling:
            self._in_hand.clear()
            await self._commit(consumer, now=True)
            self._next.clear()
            self._backoff.clear()
        self._mine -= partitions
        if self._on_revoked is not None:
            await self._on_revoked(consumer, partitions)

    @override
    async def _left(self, consumer: Consumer) -> None:
        self._in_hand.clear()
        self._next.clear()
        self._over = False
        going, self._mine = frozenset(self._mine), set()
        if going and self._on_revoked is not None:
            await self._on_revoked(consumer, going)


async def _reached(consumer: Consumer, ends: Mapping[TopicPartition, int]) -> bool:
    """Tell whether everything before these ends was handed out; what is another's now counts so."""
    mine = consumer.assignment()
    for tp, end in ends.items():
        if tp in mine and await consumer.position(tp) < end:
            return False
    return True
