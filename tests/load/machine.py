"""What the rest of the machine did while something was measured.

All that the kernel counts as work, less what the bench itself used. Must not know who is measured.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import psutil

from tests.load.processes import cpu_of_all

DISTURBING_CORES: Final = 0.35
"""Beyond it, costs per message were seen to double on two cores."""

_WORKING: Final = ("user", "nice", "system", "steal")
"""Without interrupts: the kernel charges those of our own sockets to nobody."""


@dataclass(frozen=True, slots=True)
class Others:
    """How many cores everybody else used while something was measured."""

    cores: float

    @property
    def disturb(self) -> bool:
        """Whether they used so much that the figures say little."""
        return self.cores > DISTURBING_CORES

    @property
    def remark(self) -> str:
        """What a line about the measurement says of them; nothing if they did not disturb."""
        return f"  DISTURBED: others took {self.cores} cores" if self.disturb else ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Seconds of CPU so far, of the whole machine and of the bench, and when they were read."""

    busy_s: float
    own_s: float
    at: float

    @classmethod
    def now(cls, own: Iterable[int]) -> Self:
        """Read them; `own` are pids of what the bench started beside this process."""
        times = psutil.cpu_times()
        busy = sum(getattr(times, name, 0.0) for name in _WORKING)
        return cls(busy, cpu_of_all([os.getpid(), *own]), time.monotonic())

    def others_since(self, before: "Reading") -> Others:
        """Return what everybody else used between two readings."""
        used = (self.busy_s - before.busy_s) - (self.own_s - before.own_s)
        return Others(round(max(0.0, used / (self.at - before.at)), 2))
