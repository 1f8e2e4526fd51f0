"""The relay: publishes what stands in the outbox, in order per key, and deletes it after the ack.

Knows no event. Reading "everything after the last id" lost half the rows under 16 writers, because
ids become visible out of order; reading all that is visible by id, and deleting, lost none.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

import structlog

from kit.bus.ports import Bus, Message
from kit.clock import Clock, SystemClock
from kit.errors import Unavailable
from kit.leases import Leases
from kit.metrics import Metrics
from kit.outbox import CHANNEL, SHARDS
from kit.postgres import Database, DirectConnection
from kit.shard import LEFT_OUT, Answer, Shard

log = structlog.get_logger()

BATCH: Final = 500
"""Rows of a shard handed over in one turn; also the most that a crash before the delete repeats."""

PATIENCE_S: Final = 2.0
"""A turn waits this long for its acks; what is unanswered then stays under way, and its keys are
left out of the next turns. A partition without a leader so holds up its own keys alone."""

LEASE_RETRY_S: Final = 1.0
FAILURE_PAUSE_S: Final = 1.0
MEASURE_S: Final = 5.0
COUNTED: Final = 100_000
"""Rows are counted up to here; more says nothing that the age of the oldest does not."""

STOP_TIMEOUT_S: Final = 5.0

READ: Final = """
select id, topic, key, headers, body from outbox
where shard = $1 and key <> all($2::text[])
order by id limit $3
"""
"""Rows of keys that are left out are walked over: 10,000 of them, of 400 bytes, cost 2.5 ms."""

FILLED: Final = """
select shard from unnest($1::smallint[]) as ours (shard)
where exists (select 1 from outbox where outbox.shard = ours.shard)
"""
"""One question for all shards: a database that nobody uses was asked eight, each second."""

_DELETE: Final = "delete from outbox where id = any($1::bigint[])"
_MEASURE: Final = """
select coalesce((select extract(epoch from now() - created_at) from outbox order by id limit 1), 0),
       (select count(*) from (select 1 from outbox limit $1) as counted)
"""


class Relay:
    """A role. Any number may run: each shard is worked by the one that holds its lease.

    `shards` limits which ones this relay would take; after `poll_s` without a wake-up it looks
    whether one was missed.
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
        self._shards = {number: Shard(number) for number in shards}
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Connect the producer."""
        await self._producer.start()

    async def run(self) -> None:
        """Publish until `stop`."""
        workers = [asyncio.create_task(self._work(shard)) for shard in self._shards.values()]
        others = [asyncio.create_task(one()) for one in (self._look, self._measure, self._stopped)]
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
        for shard in self._shards.values():
            shard.woken.set()
        await self._producer.stop(timeout=STOP_TIMEOUT_S)

    async def _work(self, shard: Shard) -> None:
        while not self._stopping.is_set():
            try:
                if not await self._leases.take(shard.lease):
                    # No wake-up ends it: they are for the relay that holds the lease.
                    await _first_of(self._stopping, shard.answers(), LEASE_RETRY_S)
                elif not await self._turn(shard):
                    await _first_of(shard.woken, shard.answers())
            except Unavailable as away:
                log.warning("relay.away", shard=shard.number, reason=away.slug)
                await self._rest(shard)

    async def _turn(self, shard: Shard) -> bool:
        """Publish one batch; tell whether another turn now may publish more. Raises `Unavailable`.

        What it reads and deletes, it does while the shard's lease stands on that very connection.
        """
        shard.woken.clear()
        await self._read_and_send(shard)
        answers = shard.answers()
        if answers:
            await asyncio.wait(answers, timeout=PATIENCE_S)
        settled = shard.settle(self._clock.monotonic())
        self._metrics.outbox_held.set(sum(one.blamed() for one in self._shards.values()))
        if settled.published:
            async with self._leases.using(under=shard.lease) as connection:
                await connection.execute(_DELETE, settled.published)
            self._metrics.outbox_published.inc(len(settled.published))
        elif settled.stalled:
            await self._rest(shard)
        return bool(settled.published)

    async def _read_and_send(self, shard: Shard) -> None:
        """Hand a batch to the producer: a key's rows in order, up to the first refused at once."""
        now = self._clock.monotonic()
        left_out = shard.left_out(now)
        room = min(BATCH, LEFT_OUT - len(left_out))
        if room <= 0:
            return
        async with self._leases.using(under=shard.lease) as connection:
            rows = await connection.fetch(READ, shard.number, left_out, room)
        if len(rows) < room:
            shard.forget_empty((row["key"] for row in rows), now)
        stopped: set[str] = set()
        for row in rows:
            key = row["key"]
            if key in stopped or shard.blocks(key):
                continue
            try:
                (answer,) = await self._producer.send_all([_message(row)])
            except Exception as error:  # noqa: BLE001 - one row's trouble must not end the relay
                stopped.add(key)
                shard.hold(key, now, row_id=row["id"], error=error)
            else:
                if not shard.sent(row["id"], key, answer):
                    stopped.add(key)

    async def _rest(self, shard: Shard) -> None:
        """Wait through a failure of what we lean on, unless it is time to stop.

        No wake-up ends it: each event of a busy service would read all that piles up once more.
        """
        await _first_of(self._stopping, shard.answers(), FAILURE_PAUSE_S)

    async def _listen(self, connection: DirectConnection) -> None:
        await connection.add_listener(CHANNEL + self._database.schema, self._wake)
        for shard in self._shards.values():  # what was notified before is not told again
            shard.woken.set()

    def _wake(self, _connection: object, _pid: int, _channel: str, shards: object) -> None:
        for number in str(shards).split(","):
            shard = self._shards.get(int(number))
            if shard is not None:
                shard.woken.set()

    async def _look(self) -> None:
        """Wake the shards that have rows, or keys held back: of those nobody tells.

        A connection that was lost is noticed here, too, and all leases with it.
        """
        while not self._stopping.is_set():
            await _first_of(self._stopping, (), self._poll_s)
            try:
                async with self._leases.using() as connection:
                    filled = await connection.fetch(FILLED, list(self._shards))
            except Unavailable as away:
                log.warning("relay.blind", reason=away.slug)
                continue
            numbers = {row["shard"] for row in filled}
            for number, shard in self._shards.items():
                if number in numbers or shard.waits:
                    shard.woken.set()

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


async def _first_of(
    event: asyncio.Event, answers: Sequence[Answer], seconds: float | None = None
) -> None:
    """Wait for the event or any of the answers, at most that long."""
    waiting = asyncio.create_task(event.wait())
    anything: list[asyncio.Future[Any]] = [waiting, *answers]
    try:
        await asyncio.wait(anything, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


def _message(row: Any) -> Message:
    headers = tuple((name, value.encode()) for name, value in json.loads(row["headers"]))
    value = bytes(row["body"]) or None  # `outbox.Tombstone`
    return Message(row["topic"], row["key"].encode(), value, headers)
