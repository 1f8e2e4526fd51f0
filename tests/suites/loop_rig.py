"""What the loops' suite drives loops with: roles, numbered records, handlers that remember."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from kit.bus.deadletter import DeadLetter, DeadLetters, letters
from kit.bus.loops import BatchLoop, SingleLoop
from kit.bus.ports import Bus, Message, Producer, Record
from kit.clock import Clock
from kit.metrics import Metrics
from tests.waiting import PATIENCE_S


class Runs(Protocol):
    """A role."""

    async def start(self) -> None: ...
    async def run(self) -> None: ...
    async def stop(self) -> None: ...


class Seen:
    """Remembers what a handler was given and held to be done."""

    def __init__(self) -> None:
        self.values: list[bytes] = []
        self.batches: list[int] = []

    def note(self, records: Sequence[Record]) -> None:
        self.batches.append(len(records))
        self.values += [record.value or b"" for record in records]

    def by_key(self) -> dict[bytes, list[int]]:
        found: dict[bytes, list[int]] = defaultdict(list)
        for value in self.values:
            key, number = value.split(b":")
            found[key].append(int(number))
        return found


@asynccontextmanager
async def running(role: Runs) -> AsyncIterator[None]:
    """Run a role as a service would."""
    await role.start()
    task = asyncio.create_task(role.run())
    try:
        yield
    finally:
        await role.stop()
        async with asyncio.timeout(PATIENCE_S):
            await task


def key_of(number: int) -> bytes:
    """Return the key of a numbered record."""
    return b"k%d" % (number % 9)


async def fill(
    producer: Producer, topic: str, count: int, *, key: bytes = b"", start: int = 0
) -> None:
    """Send numbered records; each value says its key and number."""
    keys = [(key or key_of(n), n) for n in range(start, start + count)]
    sent = await producer.send_all([Message(topic, k, b"%s:%d" % (k, n)) for k, n in keys])
    await asyncio.gather(*sent)


def noting(seen: Seen) -> Callable[[list[Record]], Awaitable[None]]:
    """Return a batch handler that only remembers."""

    async def handle(records: list[Record]) -> None:
        seen.note(records)

    return handle


def noting_one(seen: Seen) -> Callable[[Record], Awaitable[None]]:
    """Return a handler of single records that only remembers."""

    async def handle(record: Record) -> None:
        seen.note([record])

    return handle


def batch_loop(
    bus: Bus,
    producer: Producer,
    topic: str,
    handle: Callable[[list[Record]], Awaitable[None]],
    *,
    max_rows: int = 200,
    clock: Clock | None = None,
    metrics: Metrics | None = None,
) -> BatchLoop:
    """Return a batch loop with the usual group of a topic."""
    group = f"{topic}.g"
    return BatchLoop(
        bus,
        topics=[topic],
        group=group,
        handle=handle,
        dead_letters=DeadLetters(producer, group),
        max_rows=max_rows,
        clock=clock,
        metrics=metrics,
    )


def single_loop(
    bus: Bus,
    producer: Producer,
    topic: str,
    handle: Callable[[Record], Awaitable[None]],
    *,
    clock: Clock | None = None,
    metrics: Metrics | None = None,
) -> SingleLoop:
    """Return a single loop with the usual group of a topic."""
    group = f"{topic}.g"
    return SingleLoop(
        bus,
        topics=[topic],
        group=group,
        handle=handle,
        dead_letters=DeadLetters(producer, group),
        clock=clock,
        metrics=metrics,
    )


async def letters_if(bus: Bus, topic: str, count: int) -> list[DeadLetter]:
    """Return the dead letters once there are that many."""
    found = await letters(bus, f"{topic}.g")
    return found if len(found) == count else []


def strange_letters(topic: str) -> list[bytes | None]:
    """Return what anybody who reaches the broker might write on a dead-letter topic."""
    good = {"group": f"{topic}.g", "topic": topic, "partition": 0, "offset": 0}
    return [
        None,
        b"",
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[]",
        b"{}",
        *(
            json.dumps(good | changed).encode()
            for changed in (
                {"group": "another"},
                {"partition": -1},
                {"offset": 10**30},
                {"offset": "0"},
                {"reason": "\x1b[2J wiped"},
                {"topic": "no.such.topic"},
                {"partition": 77},
                {"offset": 10**9},
                {"offset": 10**9 + 1, "added": "by a later release"},
            )
        ),
    ]
