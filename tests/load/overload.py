"""Goodput: how much of what is offered is acknowledged while people still wait for it.

Clients behave by the book (`rehearsal.client`): they keep the rate that the gateway names, and send
again what was refused for now or went unanswered. A process of its own, so that its CPU shows
apart; reads one `generator.Job` as JSON, prints `SEATED` once everybody is connected, and one JSON
result.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import uvloop

from rehearsal.client import Client
from rehearsal.streams import Answer
from tests.load.generator import CONNECT_AT_ONCE, SEATED, STEP_S, TEXT, Job, Pair

PATIENCE_S: Final = 10.0
"""A message that is acknowledged later than so long after its first send was given up by people."""


class Tally:
    """What became of the messages that were due in the measured part."""

    def __init__(self, first: int, now: Callable[[], float] = time.perf_counter) -> None:
        self._first, self._now = first, now
        self.in_time = self.late = 0
        self.refused: Counter[str] = Counter()

    def answered(self, number: int, due: float, answer: asyncio.Future[Answer]) -> None:
        """Take the final outcome of a message; `due` is on the same clock as `now`."""
        if number < self._first or answer.cancelled():
            return
        code = answer.result().code
        if code is not None:
            self.refused[code] += 1
        elif self._now() - due <= PATIENCE_S:
            self.in_time += 1
        else:
            self.late += 1


async def run(job: Job) -> dict[str, Any]:
    """Offer the job's messages in time and return what became of them."""
    pairs = await _connected(job)
    print(SEATED, flush=True)  # noqa: T201 - whoever started this waits for it
    messages, first = int(job.rate * (job.warmup + job.seconds)), int(job.rate * job.warmup)
    tally, cpu, begun, sent = Tally(first), time.process_time(), time.perf_counter(), 0
    while sent < messages:
        due = min(messages, int((time.perf_counter() - begun) * job.rate) + 1)
        for number in range(sent, due):
            pair, side = (number // 2) % len(job.pairs), number % 2
            answer = pairs[pair][side].send(
                f"conv:{job.pairs[pair].conversation}",
                "text",
                {"text": f"{TEXT}{number:09d}"},
                client_id=f"{job.run}{number}",
            )
            answer.add_done_callback(partial(tally.answered, number, begun + number / job.rate))
        sent = max(sent, due)
        await asyncio.sleep(STEP_S)
    played = time.perf_counter() - begun
    await asyncio.sleep(PATIENCE_S)
    clients = [one for ends in pairs for one in ends]
    found = {
        "rate": job.rate,
        "offered_per_s": round(sent / played, 1),
        "goodput_per_s": round(tally.in_time / job.seconds, 1),
        "late": tally.late,
        "refused": dict(tally.refused),
        "unanswered": messages - first - tally.in_time - tally.late - tally.refused.total(),
        "reconnects": sum(one.connects - 1 for one in clients),
        "closed_with": dict(Counter(code for one in clients for code in one.close_codes)),
        "generator_cpu_s": round(time.process_time() - cpu, 3),
    }
    await asyncio.gather(*(one.close() for one in clients))
    return found


async def _connected(job: Job) -> list[list[Client]]:
    turn = asyncio.Semaphore(CONNECT_AT_ONCE)
    rng = random.Random(job.run)

    async def one(pair: Pair, token: str) -> Client:
        async with turn:
            client = Client(job.urls[0], token, rng=rng)
            await client.open()
            await client.subscribe(f"conv:{pair.conversation}")
            return client

    async def both(pair: Pair) -> list[Client]:
        ends = await asyncio.gather(one(pair, pair.buyer_token), one(pair, pair.agent_token))
        return list(ends)

    return await asyncio.gather(*map(both, job.pairs))


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(Job.read(sys.stdin.read())))))  # noqa: T201 - its result
