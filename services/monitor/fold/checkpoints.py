"""A partition's states and its offset, stored and restored together: one transaction each (H19).

Knows when a transaction begins and which is tried again; must not know who owns a partition.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from contracts.topics import CHAT
from kit import positions
from kit.bus.ports import Bus, Consumer, TopicPartition
from kit.clock import Clock
from kit.errors import Unavailable
from kit.postgres import Database
from services.monitor.fold import generations
from services.monitor.fold.engine import Changes, PartitionFold, Start
from services.monitor.fold.history import DedupWindow
from services.monitor.fold.measures import AnyMeasure
from services.monitor.fold.repository import CONSUMER, FoldStore

log = structlog.get_logger()

COMMIT_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0)
"""Between tries to commit a batch while PostgreSQL is away; then the state is dropped."""


class Checkpoints:
    """What is stored of the fold. Whoever writes owns the partition still, or meets `Fenced`."""

    def __init__(self, bus: Bus, database: Database, *, clock: Clock) -> None:
        self._bus = bus
        self._db = database
        self._clock = clock
        self._store: FoldStore | None = None

    async def begin(self) -> None:
        """Learn the topic's generation. Raises `positions.ForeignTopic` for another topic (H4)."""
        generation = await generations.current(self._bus, self._db)
        self._store = FoldStore(generation)

    @property
    def generation(self) -> int:
        """The topic's generation."""
        return self._stored().generation

    async def restore(
        self, consumer: Consumer, tp: TopicPartition, measures: Sequence[AnyMeasure]
    ) -> tuple[PartitionFold, int]:
        """Load a partition; return it and the offset from which ids are read again (H2)."""
        store = self._stored()
        async with self._db.read_across("the fold") as session:
            stored = await store.load(session, tp.partition, measures)
        oldest = (await consumer.beginning_offsets([tp]))[tp]
        offset = stored.next_offset
        if offset is not None and offset < oldest:
            log.error("fold.records_lost", partition=tp.partition, at=offset, oldest=oldest)
        offset = oldest if offset is None else max(offset, oldest)
        async with self._db.write_across("the fold") as session:
            await store.take_over(session, tp.partition, measures, stored=stored, at=offset)
        times = (0, 0) if stored.begins_anew else (stored.watermark_ms, stored.log_ms)
        watermark_ms, log_ms = times
        start = offset
        if watermark_ms:
            since = DedupWindow.reread_from_ms(watermark_ms)
            start = min(offset, (await consumer.offsets_for_times({tp: since}))[tp])
        fold = PartitionFold(
            Start(
                tp.partition,
                offset,
                watermark_ms,
                log_ms,
                stored.conversations,
                stored.refold_below or 0,
            ),
            measures,
        )
        return fold, start

    async def commit(self, moved: Sequence[Changes]) -> None:
        """Store the batch; while PostgreSQL is away, try again.

        A try whose outcome is unknown and that did commit answers `Fenced` the next time: the
        state is loaded again and nothing is counted twice.
        """
        for pause in (*COMMIT_PAUSES_S, None):
            try:
                async with self._db.write_across("the fold") as session:
                    await self._stored().store(session, moved)
                return
            except Unavailable as away:
                if pause is None:
                    raise
                log.warning("fold.commit_waits", reason=away.slug, pause_s=pause)
                await self._clock.sleep(pause)

    async def advance(self, moves: Mapping[int, tuple[int, int]]) -> None:
        """Go on behind records without an effect: by partition, the offset before and after."""
        async with self._db.write_across("the fold") as session:
            await positions.advance_all(session, CONSUMER, topic=CHAT.name, moves=moves)

    async def caught_up(self, moments: Mapping[PartitionFold, int]) -> None:
        """Store through which moments, in ms, partitions are folded."""
        if moments:
            by_partition = {fold.partition: through_ms for fold, through_ms in moments.items()}
            async with self._db.write_across("the fold") as session:
                await self._stored().caught_up(session, by_partition)

    async def forget(self, changes: Changes) -> None:
        """Settle what is forgotten and remove it."""
        async with self._db.write_across("forgetting") as session:
            await self._stored().store(session, [changes])

    def _stored(self) -> FoldStore:
        if self._store is None:
            raise RuntimeError("call begin() before the first record")
        return self._store
