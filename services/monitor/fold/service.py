"""The fold at work: takes partitions over, folds and commits batches fenced, tells who follows.

Knows the bus and the order of steps (H19); must not know what a record means.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.topics import CHAT
from kit import positions
from kit.bus.ports import Bus, Consumer, Record, TopicPartition
from kit.clock import Clock
from kit.errors import Dead, Fenced, Retry, Unavailable
from kit.postgres import Database
from kit.probes import Probes
from services.monitor.fold.checkpoints import Checkpoints
from services.monitor.fold.ends import Ends
from services.monitor.fold.engine import Batch, PartitionFold
from services.monitor.fold.eviction import Eviction
from services.monitor.fold.measures import Measures
from services.monitor.fold.repository import CONSUMER
from services.monitor.fold.slices import Slice
from services.monitor.fold.states import Conversation

log = structlog.get_logger()

FOLD: Final = CONSUMER
"""The group that shares the partitions; positions are stored under the same name."""

CAUGHT_UP_S: Final = 0.8
"""How often it is stored through which moment partitions are folded."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Whoever writes behind it still owns the partitions, or is refused (H19)."""

    generation: int
    offsets: Mapping[int, int]

    async def hold(self, session: AsyncSession, partitions: Iterable[int]) -> None:
        """Let only the owner of these partitions commit. Raises `Fenced`."""
        offsets = {partition: self.offsets[partition] for partition in partitions}
        stay = {partition: (offset, offset) for partition, offset in offsets.items()}
        await positions.advance_all(session, CONSUMER, topic=CHAT.name, moves=stay)


class Follower(Protocol):
    """Looks on while partitions are folded. Is called while no batch is in hand."""

    def folded(self, fold: PartitionFold, touched: Sequence[Conversation]) -> None:
        """See conversations in which a round may have opened; the batch is committed."""

    @property
    def waits(self) -> bool:
        """Whether something may fall due in partitions that it has seen."""

    async def through(self, moments: Mapping[PartitionFold, int], fence: Fence) -> None:
        """Act on partitions that are folded through a moment, in ms. May raise `Fenced`.

        Called often, also with the moments of the last time; what failed is tried again then.
        """


@dataclass(slots=True)
class _Owned:
    """One partition that this monitor folds."""

    tp: TopicPartition
    fold: PartitionFold
    probes: Probes = field(default_factory=Probes)


class Partitions:
    """The partitions that this monitor folds.

    Memory and database stay together in two ways. What was refused for its content (a record that
    cannot be read, a batch that PostgreSQL does not take) is taken back, and the settler hands the
    batch in again without it, or in parts. Every other failure drops the state of all partitions;
    their records then raise `Fenced`, so that the loop joins again and the state is loaded anew.
    Any number may run: the group shares the partitions, the fence guards them.
    """

    def __init__(
        self,
        bus: Bus,
        database: Database,
        measures: Measures,
        *,
        clock: Clock,
        followers: Sequence[Follower] = (),
    ) -> None:
        self._measures = measures
        self._clock = clock
        self._followers = followers
        self._ends = Ends(bus)
        self._checkpoints = Checkpoints(bus, database, clock=clock)
        self._eviction = Eviction(self._checkpoints, clock)
        self._owned: dict[int, _Owned] = {}
        self._consumer: Consumer | None = None
        self._turn = asyncio.Lock()
        self._note_at = 0.0
        self._committed: Mapping[TopicPartition, int] = {}

    async def close(self) -> None:
        """Let go of what asks the broker."""
        await self._ends.close()

    async def begin(self) -> None:
        """Learn the topic's generation. Raises `positions.ForeignTopic` for another topic (H4)."""
        await self._checkpoints.begin()

    async def fold(self, records: Sequence[Record]) -> None:
        """Fold a batch and commit it: a repeat below the stored offset changes nothing.

        Raises `Fenced` when the partition is another's by now, `Dead` for the records that cannot
        be folded; after any other `Exception`, too, the batch can be handed in again, whole or in
        parts.
        """
        async with self._turn:
            batches: dict[int, Batch] = {}
            try:
                await self._fold_each(records, batches)
                refuse_poison(records, batches)
                await self._keep(batches)
            except (Fenced, Retry, Unavailable, asyncio.CancelledError):
                self._owned.clear()
                raise
            except Exception as error:
                log.warning("fold.taken_back", records=len(records), error=type(error).__name__)
                for partition in batches:
                    self._owned[partition].fold.take_back()
                raise
            await self._look_after(batches.keys())

    async def pass_over(self, records: Sequence[Record]) -> None:
        """Go on behind records that were set aside, one of a partition."""
        async with self._turn:
            self._refuse_lost({record.partition for record in records})
            folds = {record.partition: self._owned[record.partition].fold for record in records}
            moves = {
                record.partition: (folds[record.partition].next_offset, record.offset + 1)
                for record in records
                if folds[record.partition].next_offset <= record.offset
            }
            if not moves:
                return
            await self._checkpoints.advance(moves)
            for partition, (_, after) in moves.items():
                folds[partition].next_offset = after

    async def probe(self) -> bool:
        """Ask where the partitions end (H31), in nobody's turn. Call it often. Raises `BusAway`.

        Tells whether somebody waits for what is known through that; if nobody does, it ticks.
        """
        owned = list(self._owned.values())
        if not owned:
            return False
        at_ms = self._clock.now_ms()
        ends = await self._ends.ask([one.tp for one in owned])
        for one in owned:
            if one.tp in ends:
                one.probes.asked(at_ms, end_offset=ends[one.tp])
        waits = any(follower.waits for follower in self._followers)
        if not waits:
            await self.tick()
        return waits

    async def watch(self) -> None:
        """Tick while somebody waits; while nobody does, `probe` ticks as often as it is needed."""
        if any(follower.waits for follower in self._followers):
            await self.tick()

    async def tick(self) -> None:
        """Tell followers and the store how far the fold is, forget what is over. Call it often."""
        async with self._turn:
            try:
                folded = await self._tick()
            except Fenced as fenced:
                log.warning("fold.fenced", reason=fenced.reason)
                self._owned.clear()
                return
        if folded and folded != self._committed and self._consumer is not None:
            # For those who watch the group's lag from outside; the fold itself never reads it.
            with suppress(Fenced):
                await self._consumer.commit(folded)
                self._committed = folded

    async def take_over(self, consumer: Consumer, came: AbstractSet[TopicPartition]) -> None:
        """Load partitions and seek to where their ids must be read again."""
        async with self._turn:
            self._consumer, self._committed = consumer, {}
            for tp in sorted(came):
                fold, start = await self._checkpoints.restore(consumer, tp, self._measures())
                self._owned[tp.partition] = _Owned(tp, fold)
                consumer.seek(tp, start)
        log.info("fold.assigned", partitions=sorted(tp.partition for tp in came))

    async def leave(self) -> None:
        """Drop all: this monitor is no member of the group any more."""
        async with self._turn:
            self._owned.clear()
            self._consumer = None

    async def release(self, going: AbstractSet[TopicPartition]) -> None:
        """Drop the state of partitions that another monitor folds from now on."""
        async with self._turn:
            for tp in going:
                self._owned.pop(tp.partition, None)

    async def _fold_each(self, records: Sequence[Record], batches: dict[int, Batch]) -> None:
        by_partition: defaultdict[int, list[Record]] = defaultdict(list)
        for record in records:
            by_partition[record.partition].append(record)
        self._refuse_lost(by_partition.keys())
        turn = Slice()
        for partition, mine in by_partition.items():
            batches[partition] = await self._owned[partition].fold.fold(mine, turn=turn)

    def _refuse_lost(self, partitions: AbstractSet[int]) -> None:
        lost = partitions - self._owned.keys()
        if lost:
            raise Fenced(f"no state for {CHAT.name} {sorted(lost)}: join again")

    async def _keep(self, batches: Mapping[int, Batch]) -> None:
        moved = [b.changes for b in batches.values() if b.changes.next_offset > b.changes.expected]
        if moved:
            await self._checkpoints.commit(moved)
        for partition, batch in batches.items():
            for follower in self._followers:
                follower.folded(self._owned[partition].fold, batch.waits)

    async def _look_after(self, partitions: Iterable[int]) -> None:
        """Look right after a batch: one that waited for the tick would wait too long.

        The batch is stored: a look that fails is no reason to hand it in again, the tick looks.
        """
        try:
            await self._look([self._owned[partition] for partition in partitions])
        except Fenced:
            self._owned.clear()
            raise
        except Unavailable as away:
            log.warning("fold.look_waits", reason=away.slug)

    async def _look(self, owned: Iterable[_Owned]) -> dict[PartitionFold, int]:
        """Tell followers, and return, through which moments partitions are folded by now."""
        moments = {
            one.fold: through_ms
            for one in owned
            if (through_ms := one.probes.passed(one.fold.next_offset)) is not None
        }
        offsets = {fold.partition: fold.next_offset for fold in moments}
        for follower in self._followers if moments else ():
            await follower.through(moments, Fence(self._checkpoints.generation, offsets))
        return moments

    async def _tick(self) -> dict[TopicPartition, int]:
        """Look, note how far it is, forget; return the offsets that the group may be told."""
        moments = await self._look(self._owned.values())
        folded: dict[TopicPartition, int] = {}
        now = self._clock.monotonic()
        if now >= self._note_at:
            self._note_at = now + CAUGHT_UP_S
            await self._checkpoints.caught_up(moments)
            folded = {one.tp: one.fold.next_offset for one in self._owned.values()}
        try:
            await self._eviction.sweep([one.fold for one in self._owned.values()])
        except BaseException:
            self._owned.clear()  # what was forgotten in memory alone is loaded again
            raise
        return folded


def refuse_poison(records: Sequence[Record], batches: Mapping[int, Batch]) -> None:
    """Raise `Dead` for the records, as they were handed in, that could not be folded.

    Of those that failed in the state of their conversation only the first is sure: the others may
    have failed for what it left behind.
    """
    poison = {id(one.record): one for batch in batches.values() for one in batch.poison}
    unsure: set[bytes | None] = set()
    dead: list[Dead] = []
    for record in records if poison else ():
        found = poison.get(id(record))
        if found is None or (found.was_read and record.key in unsure):
            continue
        dead.append(Dead(found.reason, record))
        if found.was_read:
            unsure.add(record.key)
    if dead:
        raise Dead.all_of(dead)
