"""Ways to read a topic in a test, whichever bus it is on."""

import asyncio
from collections.abc import Callable

from kit.bus.ports import Bus, Consumer, Record
from tests.waiting import PATIENCE_S, eventually


async def read(bus: Bus, topic: str, count: int) -> list[Record]:
    """Return the first `count` records of a topic."""
    reader = bus.reader([topic])
    await reader.start()
    try:
        return await take(reader, count)
    finally:
        await reader.stop()


async def take(consumer: Consumer, count: int, *, within: float = PATIENCE_S) -> list[Record]:
    """Return exactly `count` records from a consumer, in the order of their arrival."""
    taken: list[Record] = []
    async with asyncio.timeout(within):
        while len(taken) < count:
            for records in (await consumer.getmany(100)).values():
                taken.extend(records)
    assert len(taken) == count
    return taken


async def polled_until(
    condition: Callable[[], bool], *consumers: Consumer, within: float = PATIENCE_S
) -> None:
    """Keep the consumers reading, as a loop would, until the condition holds."""

    async def step() -> bool:
        await asyncio.gather(*(consumer.getmany(20) for consumer in consumers))
        return condition()

    await eventually(step, within=within)
