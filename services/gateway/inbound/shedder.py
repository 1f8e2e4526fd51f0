"""Refuses sends for now while those before them wait too long for the broker (ADR 44).

Decides by how long the oldest has waited; must not know who sends, or what is said.
"""

import random
from typing import Final

import structlog

from kit.clock import Clock
from kit.metrics import Metrics
from services.gateway.frames.refusals import NotTaken

ADMITS_BELOW: Final = 0.5
"""Share of the limit below which newcomers are taken again: a door that opens at the limit itself
would open and shut with every answer."""

COME_BACK_MS: Final = (500, 2_000)
"""Who is refused is told to come back at random within these: not in step with the others, so soon
that the broker never runs out of work, and never so late that newcomers pass by again and again.
Played with twice what is carried, 1 s at least left 8 % of the broker's time unused, half a second
1 %."""

LOG_EVERY_S: Final = 1.0

log: Final = structlog.get_logger("gateway.shedder")


class LoadShedder:
    """Asked once for each send, with the partition it would go to: one that is stuck closes alone.

    Over `after_s` nobody is admitted. Once the oldest is younger, those that were refused before
    come first, and newcomers when it is younger than `ADMITS_BELOW` of that.
    """

    def __init__(
        self, *, clock: Clock, metrics: Metrics, chance: random.Random, after_s: float
    ) -> None:
        self._clock = clock
        self._counter = metrics.sends_shed
        self._chance = chance
        self._after_s = after_s
        self._below_s = after_s * ADMITS_BELOW
        self._shedding: set[int] = set()
        self._refused = 0
        self._logged_at = float("-inf")

    def admits(self, partition: int, oldest: float | None, *, returning: bool) -> bool:
        """Tell whether a send may be taken now.

        `oldest` is when the oldest unanswered message of the partition was handed over, None if
        there is none; `returning` that this send was refused before and others wait for it.
        """
        if oldest is None:
            self._shedding.discard(partition)
            return True
        age = self._clock.monotonic() - oldest
        if age > self._after_s:
            self._shedding.add(partition)
            return False
        if age < self._below_s:
            self._shedding.discard(partition)
        return returning or partition not in self._shedding

    def refusal(self) -> NotTaken:
        """Count one more refused send, and return what to answer: when to come back."""
        self._counter.inc()
        self._refused += 1
        now = self._clock.monotonic()
        if now - self._logged_at >= LOG_EVERY_S:
            log.warning("sends.shed", sends=self._refused, partitions=sorted(self._shedding))
            self._logged_at, self._refused = now, 0
        wait_ms = self._chance.randint(*COME_BACK_MS)
        return NotTaken("More comes than is carried.", retry_after_ms=wait_ms)
