"""The relay: publishes what stands in the outbox, in order per key, and deletes it after the ack.

Knows no event. Reading "everything after the last id" lost half the rows under 16 writers, because
ids become visible out of order; reading all that is visible by id, and deleting, lost none.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

import structlog

from kit.bus.ports import Bus, Message, Position
from kit.clock import Clock, SystemClock
from kit.errors import Unavailable
from kit.leases import Leases
from kit.metrics import Metrics
from kit.outbox import CHANNEL, SHARDS
from kit.postgres import Database, DirectConnection

log = structlog.get_logger()

BATCH: Final = 500
"""Rows of a shard under way at once; also the most that a crash before the delete repeats."""

LEASE_RETRY_S: Final = 1.0
FAILURE_PAUSE_S: Final = 1.0
MEASURE_S: Final = 5.0
COUNTED: Final = 100_000
"""Rows are counted up to here; more says nothing that the age of the oldest does not."""

STOP_TIMEOUT_S: Final = 5.0

_READ: Final = (
    "select id, topic, key, headers, body from outbox where shard = $1 order by id limit $2"
)
_DELETE: Final = "delete from outbox where id = any($1::bigint[])"
_MEASURE: Final = """
select coalesce((select extract(epoch from now() - created_at) from outbox order by id limit 1), 0),
       (select count(*) from (select 1 from outbox limit $1) as counted)
"""


class Relay:
    """A role. Any number may run: each shard is worked by the one that holds its lease.

    `shards` limits which ones this relay would take; `poll_s` is the wait when no wake-up comes.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        *,
        shards: Sequence[int] = range(SHARDS),
        poll_s: float = 1.0,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._database = database
        self._producer = bus.producer()
        self._poll_s = poll_s
        self._clock = clock or SystemClock()
        self._metrics = metrics or Metrics()
        self._leases = Leases(database, opened=self._listen)
        self._woken = {shard: asyncio.Event() for shard in shards}
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Connect the producer."""
        await self._producer.start()

    async def run(self) -> None:
        """Publish until `stop`."""
        workers = [asyncio.create_task(self._work(shard)) for shard in self._woken]
        others = [asyncio.create_task(self._measure()), asyncio.create_task(self._stopped())]
        try:
            await asyncio.wait([*workers, *others], return_when=asyncio.FIRST_COMPLETED)
            if workers and self._stopping.is_set():
                await asyncio.wait(workers, timeout=STOP_TIMEOUT_S)
            for ended in (task for task in (*workers, *others) if task.done()):
                ended.result()  # before `stop` a task ends only by a bug: let it be seen
        finally:
            for task in (*workers, *others):
                task.cancel()
            await asyncio.gather(*workers, *others, return_exceptions=True)
            await self._leases.close()

    async def stop(self) -> None:
        """Finish the batches under way, within a few seconds, and give the shards back."""
        self._stopping.set()
        for woken in self._woken.values():
            woken.set()
        await self._producer.stop(timeout=STOP_TIMEOUT_S)

    async def _work(self, shard: int) -> None:
        name = f"outbox/{shard}"
        while not self._stopping.is_set():
            try:
                if not await self._leases.take(name):
                    await self._pause(shard, LEASE_RETRY_S)
                elif not await self._publish(shard):
                    await self._pause(shard, self._poll_s)
            except Unavailable as away:
                log.warning("relay.away", shard=shard, reason=away.slug)
                await self._clock.sleep(FAILURE_PAUSE_S)

    async def _publish(self, shard: int) -> bool:
        """Publish one batch; tell whether there may be more. Raises `Unavailable`."""
        self._woken[shard].clear()
        async with self._leases.using() as connection:
            rows = await connection.fetch(_READ, shard, BATCH)
        if not rows:
            return False
        answers = await self._producer.send_all([_message(row) for row in rows])
        # However long it takes: a row must not be produced again while it is under way (H18).
        await asyncio.wait(answers)
        published = [row["id"] for row, answer in zip(rows, answers, strict=True) if _ok(answer)]
        if published:
            async with self._leases.using() as connection:
                await connection.execute(_DELETE, published)
            self._metrics.outbox_published.inc(len(published))
        if len(published) < len(rows):
            self._report(shard, answers)
            await self._clock.sleep(FAILURE_PAUSE_S)
        return True

    async def _pause(self, shard: int, seconds: float) -> None:
        """Wait for a wake-up, at most that long."""
        waiting = asyncio.create_task(self._woken[shard].wait())
        try:
            await asyncio.wait([waiting], timeout=seconds)
        finally:
            waiting.cancel()

    async def _listen(self, connection: DirectConnection) -> None:
        await connection.add_listener(CHANNEL + self._database.schema, self._wake)
        for woken in self._woken.values():  # what was notified before is not told again
            woken.set()

    def _wake(self, _connection: object, _pid: int, _channel: str, shards: object) -> None:
        for shard in str(shards).split(","):
            woken = self._woken.get(int(shard))
            if woken is not None:
                woken.set()

    async def _stopped(self) -> None:
        await self._stopping.wait()

    async def _measure(self) -> None:
        while not self._stopping.is_set():
            try:
                async with self._leases.using() as connection:
                    oldest, rows = await connection.fetchrow(_MEASURE, COUNTED)
            except Unavailable:
                log.debug("relay.unmeasured")
            else:
                self._metrics.outbox_oldest.set(float(oldest))
                self._metrics.outbox_rows.set(rows)
            await self._clock.sleep(MEASURE_S)

    def _report(self, shard: int, answers: Sequence[asyncio.Future[Position]]) -> None:
        errors = {type(answer.exception()).__name__ for answer in answers if not _ok(answer)}
        log.warning("relay.unanswered", shard=shard, errors=sorted(errors))


def _ok(answer: asyncio.Future[Position]) -> bool:
    return not answer.cancelled() and answer.exception() is None


def _message(row: Any) -> Message:
    headers = tuple((name, value.encode()) for name, value in json.loads(row["headers"]))
    return Message(row["topic"], row["key"].encode(), bytes(row["body"]), headers)
