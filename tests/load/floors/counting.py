"""Floor (c): a bare `getmany` loop that counts. `python -m tests.load.floors.counting < JOB`."""

import asyncio

from aiokafka import AIOKafkaConsumer

from contracts.topics import CHAT
from tests.load.catching_up import STUCK_S, Job, Lap, Stopwatch, contend


async def count(job: Job) -> Lap:
    """Read every record once."""
    watch, seen = Stopwatch(job), 0
    consumer = AIOKafkaConsumer(
        job.prefix + CHAT.name,
        bootstrap_servers=job.bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with asyncio.timeout(STUCK_S):
        watch.start()
        async with consumer:
            while seen < job.records:
                seen += sum(map(len, (await consumer.getmany(timeout_ms=500)).values()))
            return watch.stop()


if __name__ == "__main__":
    contend(count)
