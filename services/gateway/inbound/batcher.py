"""Collects messages for a tick and hands them to the producer together, in their order.

The cost is per request, not per message (measured), so a tick of 5 ms saves most of it where many
come; where few come, nobody waits for nobody. Knows no frame and no socket: whoever adds a message
is told its outcome.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from kit.bus.ports import BusAway, Message, Position, Producer
from kit.clock import Clock

BATCHED: Final = 20_000
"""Messages collected and not yet handed over; one more is refused and its sender retries."""

TOGETHER: Final = 4
"""Messages that make a whole tick worth its wait; the fewer it would bring, the less is waited."""

SHORTEST_S: Final = 0.001
"""A wait that would be shorter brings nobody together: none is made."""

RATE_S: Final = 0.5
"""How far back it is looked for how fast messages come."""

Outcome = Callable[["asyncio.Future[Position]"], None]
"""Told once the broker has answered, or when it is known that it will not."""

log: Final = structlog.get_logger("gateway.batcher")


class Tick:
    """How long a message waits for others, by how fast they came of late."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._rate = 0.0
        self._at = 0.0

    def over(self, messages: int, now: float) -> None:
        """Note how many messages came since the last time."""
        elapsed = now - self._at
        if elapsed > 0:
            self._rate += min(1.0, elapsed / RATE_S) * (messages / elapsed - self._rate)
            self._at = now

    @property
    def seconds(self) -> float:
        """How long the next message waits; 0 below some 160 a second, with a tick of 5 ms."""
        share = self._rate * self._longest_s / TOGETHER
        waited = self._longest_s * min(1.0, share)
        return waited if waited >= SHORTEST_S else 0.0


class Batcher:
    """One hand-over at a time, so that the order of `add` is the order in the log."""

    def __init__(self, producer: Producer, clock: Clock, *, tick_s: float) -> None:
        self._producer = producer
        self._clock = clock
        self._tick = Tick(tick_s)
        self._messages: list[Message] = []
        self._outcomes: list[Outcome] = []
        self._filled = asyncio.Event()
        self._over = False
        self.handed_over = 0

    def add(self, message: Message, outcome: Outcome) -> bool:
        """Take a message for the next hand-over; False when too many wait already."""
        if len(self._messages) >= BATCHED or self._over:
            return False
        self._messages.append(message)
        self._outcomes.append(outcome)
        self._filled.set()
        return True

    async def start(self) -> None:
        """Nothing to get ready."""

    async def run(self) -> None:
        """Hand over tick by tick until `stop`."""
        while not self._over or self._messages:
            await self._filled.wait()
            if not self._over and self._tick.seconds:
                await self._clock.sleep(self._tick.seconds)
            self._filled.clear()
            await self._hand_over()

    async def stop(self) -> None:
        """Take nothing more and hand over what is left."""
        self._over = True
        self._filled.set()

    async def _hand_over(self) -> None:
        messages, self._messages = self._messages, []
        outcomes, self._outcomes = self._outcomes, []
        if not messages:
            return
        self._tick.over(len(messages), self._clock.monotonic())
        try:
            answers = await self._producer.send_all(messages)
        except BusAway as away:
            log.warning("batcher.refused", messages=len(messages), reason=str(away))
            answers = [_refused(away) for _ in messages]
        self.handed_over += len(messages)
        for answer, outcome in zip(answers, outcomes, strict=True):
            if answer.done():
                outcome(answer)
            else:
                answer.add_done_callback(outcome)


def _refused(reason: BusAway) -> asyncio.Future[Position]:
    answer: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
    answer.set_exception(reason)
    answer.exception()  # marks it as seen: the outcome reads it
    return answer
