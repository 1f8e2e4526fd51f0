"""Relays running as a service runs them, and what they published, read back from the topic."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from kit.bus.ports import Bus, Record
from kit.relay import Relay
from tests.suites.reading import read


@asynccontextmanager
async def running(relays: Sequence[Relay]) -> AsyncIterator[None]:
    """Run relays as a service would."""
    for relay in relays:
        await relay.start()
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield
    finally:
        await asyncio.gather(*(relay.stop() for relay in relays))
        await asyncio.gather(*tasks)


async def read_all(bus: Bus, topic: str) -> list[Record]:
    """Return everything that a topic holds now."""
    reader = bus.reader([topic])
    await reader.start()
    ends = await reader.end_offsets(reader.assignment())
    await reader.stop()
    return await read(bus, topic, sum(ends.values()))


def numbers_by_key(records: Sequence[Record]) -> dict[str, list[int]]:
    """Return the numbers of each key in the order of the log."""
    found = defaultdict(list)
    for record in records:
        found[(record.key or b"").decode()].append(int(record.value or b""))
    return dict(found)
