"""The product's contestant of `just bench monitor`: the real fold on the real log and database.

Put together as `services.monitor.app` does; only the roles that do not fold are left out.
`python -m tests.load.fold_run < JOB`.
"""

import asyncio
from collections.abc import Sequence

from contracts.conversation import ShopListed
from contracts.topics import CHAT
from kit.bus.deadletter import DeadLetters
from kit.bus.loops import BatchLoop
from kit.bus.ports import Consumer, Record, TopicPartition
from kit.clock import SystemClock
from services.monitor import app
from services.monitor.consumers.folding import Folder
from services.monitor.repository.directory import Directory
from services.monitor.repository.folds import CONSUMER
from services.monitor.settings import Settings
from tests.load.catching_up import STUCK_S, Job, Lap, Stopwatch, contend
from tests.load.dialogue import SHOP, START


class Watched:
    """A folder whose work is timed: from its first partition to the last record."""

    def __init__(self, folder: Folder, job: Job) -> None:
        self._folder = folder
        self._left = job.records
        self._watch = Stopwatch(job)
        self.lap: asyncio.Future[Lap] = asyncio.get_running_loop().create_future()

    async def assigned(self, consumer: Consumer, came: frozenset[TopicPartition]) -> None:
        """Take partitions over and start the clock."""
        await self._folder.assigned(consumer, came)
        self._watch.start()

    async def handle(self, records: Sequence[Record]) -> None:
        """Fold and commit a batch."""
        await self._folder.handle(records)
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
    bus, database = app.open_bus(settings), app.open_database(settings)
    rules = app.rules_of(settings, Directory(), app.open_lexicon(settings))
    rules.directory.list_shop(
        ShopListed(id=SHOP, time=START, shop_id=SHOP, name="旗舰店", version=1)
    )
    folder = Folder(bus, database, rules, clock=clock)
    await folder.begin()
    watched = Watched(folder, job)
    loop = BatchLoop(
        bus,
        topics=[CHAT.name],
        group=CONSUMER,
        handle=watched.handle,
        dead_letters=DeadLetters(bus.producer(), CONSUMER),
        after_dead=folder.passed_over,
        max_rows=settings.fold_rows,
        max_wait_ms=settings.fold_wait_ms,
        policy=None,
        on_assigned=watched.assigned,
        on_revoked=folder.revoked,
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
