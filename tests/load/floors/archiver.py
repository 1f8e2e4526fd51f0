"""Floor (b), second half: the smallest archive writer beside the floor's gateway.

Batches of 100 ms, one `unnest` insert each, offsets committed after the database.
`python -m tests.load.floors.archiver BOOTSTRAP TOPIC DSN`, with a table `floor_archive` there.
"""

import asyncio
import sys
from itertools import chain

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer

WINDOW_MS = 100

TABLE = """
CREATE TABLE IF NOT EXISTS floor_archive (
    partition int, at_offset bigint, stream text, sent_ns bigint, body text,
    archived_at timestamptz DEFAULT clock_timestamp(), PRIMARY KEY (partition, at_offset))
"""
INSERT = """
INSERT INTO floor_archive (partition, at_offset, stream, sent_ns, body)
SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[], $4::bigint[], $5::text[])
ON CONFLICT DO NOTHING
"""


async def main(bootstrap: str, topic: str, dsn: str) -> None:
    """Archive until the process is ended."""
    database = await asyncpg.connect(dsn)
    await database.execute(TABLE)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=f"{topic}.archive",
        enable_auto_commit=False,
        auto_offset_reset="latest",
    )
    async with consumer:
        while True:
            await asyncio.sleep(WINDOW_MS / 1_000)
            rows = list(chain.from_iterable((await consumer.getmany(timeout_ms=500)).values()))
            if rows:
                await database.execute(
                    INSERT,
                    [row.partition for row in rows],
                    [row.offset for row in rows],
                    [row.key.decode() for row in rows],
                    [int(row.headers[0][1]) for row in rows],
                    [row.value.decode() for row in rows],
                )
                await consumer.commit()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:4]))
