"""The product's contestant of `just bench archive`: the real archive on the real log and database.

Put together as `services.conversation.app` does; only what does not archive is left out.
`python -m tests.load.archive_run < JOB`, in a database prepared by `seat`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr
from typing_extensions import override

from contracts.topics import CHAT
from kit import positions
from kit.bus.kafka import KafkaBus
from kit.clock import SystemClock
from kit.metrics import Metrics
from kit.postgres import Database
from services.conversation.archive.consumers import Archive
from services.conversation.archive.domain import Batch
from services.conversation.archive.service import Archiving
from services.conversation.settings import Settings
from tests.infrastructure import TestDatabase
from tests.load.catching_up import STUCK_S, Job, Lap, Stopwatch, contend
from tests.load.dialogue import GROUP, SHOP, START, talks

_SHOP = (
    "INSERT INTO conversation.shops (id, name, time_zone) VALUES ($1, '旗舰店', 'Asia/Shanghai')"
)
_TALK = """
INSERT INTO conversation.conversations (id, shop_id, buyer_id, skill_group_id, state, stage,
    version, assignment_version, agent_id, assigned_at, announced, opened_at, priority, subject)
VALUES ($1, $2, $3, $4, 'assigned', 'welcome', 2, 2, $5, $6, true, $6, 0, '')
"""


@dataclass
class Progress:
    """Rows still to be stored, and the lap once none is left."""

    watch: Stopwatch
    left: int
    lap: asyncio.Future[Lap] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def stored(self, rows: int) -> None:
        """Note rows that are committed."""
        self.left -= rows
        if self.left <= 0 and not self.lap.done():
            self.lap.set_result(self.watch.stop())


@dataclass(frozen=True)
class Watched(Archiving):
    """The use case, its progress noted."""

    progress: Progress

    @override
    async def store(self, batch: Batch, ends: Mapping[int, int], *, generation: int) -> int:
        new = await super().store(batch, ends, generation=generation)
        self.progress.stored(new)
        return new


async def seat(found: TestDatabase) -> None:
    """Open every talk in a fresh database."""
    async with found.connected("conversation", shop=SHOP) as connection:
        await connection.execute(_SHOP, SHOP)
        await connection.executemany(
            _TALK, [(talk.id, SHOP, talk.buyer, GROUP, talk.agent, START) for talk in talks()]
        )


async def bare(found: TestDatabase) -> None:
    """Make the floor's table in a fresh database."""
    await found.alter(
        "conversation", "CREATE TABLE conversation.bare (LIKE conversation.messages INCLUDING ALL)"
    )


async def archive(job: Job) -> Lap:
    """Archive the whole topic."""
    clock, metrics = SystemClock(), Metrics()
    settings = Settings(
        bootstrap_servers=job.bootstrap_servers,
        kafka_topic_prefix=job.prefix,
        database_url=SecretStr(job.dsn),
    )
    bus = KafkaBus(job.bootstrap_servers, prefix=job.prefix, client_id="conversation")
    database = Database(job.dsn, schema="conversation", pool_size=settings.database_pool)
    progress = Progress(Stopwatch(job), job.records)
    role = Archive(
        bus,
        Watched(database, clock, lambda _shops: None, progress),
        bus.producer(),
        max_rows=settings.archive_rows,
        max_wait_ms=settings.archive_wait_ms,
        clock=clock,
        metrics=metrics,
    )
    await role.start()
    await _begin_at_the_oldest(bus, database)
    progress.watch.start()
    running = asyncio.create_task(role.run())
    try:
        async with asyncio.timeout(STUCK_S):
            return await progress.lap
    finally:
        await role.stop()
        await running
        await bus.close()
        await database.close()


async def _begin_at_the_oldest(bus: KafkaBus, database: Database) -> None:
    """Set every mark to zero: an earlier round's group has committed the end of the topic."""
    partitions = range(await bus.partitions(CHAT.name))
    async with database.write_across("a test") as session:
        await positions.raise_marks(session, CHAT.name, dict.fromkeys(partitions, 0))


if __name__ == "__main__":
    contend(archive)
