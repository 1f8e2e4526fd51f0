"""Floor of the archive: bare asyncpg `unnest` inserts of the same rows into an identical table.

Rows are read and made ready before the clock starts: only the inserts are measured. The table,
which has no policy, is made by who stages the lap.
`python -m tests.load.floors.inserting < JOB`.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from contracts.topics import CHAT
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Record
from services.conversation.archive.consumers import Rows
from services.conversation.settings import Settings
from tests.load.catching_up import STUCK_S, Job, Lap, Stopwatch, contend

INSERT = """
INSERT INTO conversation.bare (message_id, conversation_id, partition, log_offset, type, time,
    sender_kind, body_hash, body, generation, archived_at)
SELECT *, 1, $10 FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::text[],
    $6::timestamptz[], $7::text[], $8::text[], $9::text[])
ON CONFLICT DO NOTHING
"""


async def insert(job: Job) -> Lap:
    """Insert every row of the topic, in batches as large as the product's."""
    records = await _read(job)
    size = Settings().archive_rows
    batches = [_columns(records[at : at + size]) for at in range(0, len(records), size)]
    connection = await asyncpg.connect(job.dsn.replace("+asyncpg", ""))
    watch = Stopwatch(job)
    try:
        watch.start()
        for columns in batches:
            await connection.execute(INSERT, *columns, datetime.now(UTC))
        return watch.stop()
    finally:
        await connection.close()


async def _read(job: Job) -> list[Record]:
    bus = KafkaBus(job.bootstrap_servers, prefix=job.prefix, client_id="floor")
    reader = bus.reader([CHAT.name])
    found: list[Record] = []
    await reader.start()
    try:
        async with asyncio.timeout(STUCK_S):
            while len(found) < job.records:
                for records in (await reader.getmany(500)).values():
                    found += records
    finally:
        await reader.stop()
        await bus.close()
    return found


def _columns(records: Sequence[Record]) -> Sequence[list[Any]]:
    rows = Rows()
    for record in records:
        rows.add(record)
    b = rows.batch
    return (
        b.ids, b.conversations, b.partitions, b.offsets, b.types, b.times, b.senders, b.hashes,
        b.bodies,
    )  # fmt: skip


if __name__ == "__main__":
    contend(insert)
