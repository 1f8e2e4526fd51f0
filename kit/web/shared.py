"""One answer for many who ask the same at once: worked out once, and kept for a moment.

Knows keys and bytes; whoever makes a key sees to it that all who have it may read the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

from kit.clock import Clock

ANSWERS_MOST: Final = 1_000
"""Answers kept at most; beyond that those go that were worked out first."""


@dataclass
class _Answer:
    body: bytes = b""
    until: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class SharedAnswers:
    """Keeps answers for `kept_s`. Who asks while one is worked out waits for it."""

    def __init__(self, clock: Clock, *, kept_s: float, most: int = ANSWERS_MOST) -> None:
        self._clock = clock
        self._kept_s = kept_s
        self._most = most
        self._answers: dict[Hashable, _Answer] = {}

    def __len__(self) -> int:
        return len(self._answers)

    async def of(self, key: Hashable, work: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the answer that is kept under `key`, or work it out. What fails is not kept."""
        answer = self._answers.setdefault(key, _Answer())
        try:
            async with answer.turn:
                if self._clock.monotonic() >= answer.until:
                    answer.body = await work()
                    answer.until = self._clock.monotonic() + self._kept_s
                    # At the end, so that whichever is over first stands first.
                    self._answers.pop(key, None)
                    self._answers[key] = answer
                return answer.body
        finally:
            self._forget()  # also what failed: keys may be made up, and all of them fail

    def _forget(self) -> None:
        """Let go of what is over, and of the oldest where there is still too much."""
        now = self._clock.monotonic()
        while self._answers:
            key, first = next(iter(self._answers.items()))
            if first.turn.locked() or (first.until > now and len(self._answers) <= self._most):
                return
            del self._answers[key]
