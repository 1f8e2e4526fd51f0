"""The product's contestant of `just bench monitor`: the real fold on the real log and database.

Put together as `services.monitor.app` does; only the roles that do not fold are left out.
`python -m tests.load.fold_run < JOB`.
"""

import asyncio
from collections.abc import Sequence

from contracts.topics import CHAT
from kit.bus.deadletter import DeadLetters
from kit.bus.loops import BatchLoop
from kit.bus.ports import Consumer, Record, TopicPartition
from kit.clock import SystemClock
from services.monitor import app
from services.monitor.directory.rules import Rules
from services.monitor.fold.consumers import Fold
from services.monitor.fold.service import FOLD, Partitions
from services.monitor.measures import measures_of
from services.monitor.settings import Settings
from services.monitor.waiting.service import Thresholds
from tests.load.catching_up import STUCK_S, Job, Lap, Stopwatch, contend
from tests.load.dialogue import LISTED


class Watched:
    """A fold whose work is timed: from its first partition to the last record."""

    def __init__(self, fold: Fold, job: Job) -> None:
        self._fold = fold
        self._left = job.records
        self._watch = Stopwatch(job)
        self.lap: asyncio.Future[Lap] = asyncio.get_running_loop().create_future()

    async def assigned(self, consumer: Consumer, came: frozenset[TopicPartition]) -> None:
        """Take partitions over and start the clock."""
        await self._fold.assigned(consumer, came)
        self._watch.start()

    async def __call__(self, records: Sequence[Record]) -> None:
        """Fold and commit a batch."""
        await self._fold(records)
        self._left -= len(records)
        if self._left <= 0 and not self.lap.done():
            self.lap.set_result(self._watch.stop())


async def fold(job: Job) -> Lap:
    """Fold the whole topic into a database that has seen nothing of it."""
    clock = SystemClock()
    settings = Settings(
        bootstrap_servers=job.bootstrap_servers,
        kafka_topic_prefix=job.prefix,
        database_url=job.dsn,
    )
    service = app.opened(settings, clock=clock)
    bus, database = service.bus, service.db
    rules = Rules.from_settings(settings, settings.open_lexicon())
    rules.directory.list_shop(LISTED)
    thresholds = Thresholds(database, rules, clock=clock)
    measures = measures_of(rules, believes_gate=True)
    partitions = Partitions(bus, database, measures, clock=clock, followers=[thresholds])
    await partitions.begin()
    folding = Fold(partitions)
    watched = Watched(folding, job)
    loop = BatchLoop(
        bus,
        topics=[CHAT.name],
        group=FOLD,
        handle=watched,
        dead_letters=DeadLetters(bus.producer(), FOLD),
        after_dead=folding.passed_over,
        max_rows=settings.fold_rows,
        max_wait_ms=settings.fold_wait_ms,
        policy=None,
        on_assigned=watched.assigned,
        on_revoked=folding.revoked,
        clock=clock,
    )
    running = asyncio.create_task(loop.run())
    try:
        async with asyncio.timeout(STUCK_S):
            return await watched.lap
    finally:
        await loop.stop()
        await running
        await bus.close()
        await database.close()


if __name__ == "__main__":
    contend(fold)
