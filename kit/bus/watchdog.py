"""The progress watchdog: aiokafka can hang in silence after a broker restart.

Knows times only; the loops tell it what they saw and do what it says.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from kit.clock import Clock


class Hung(Exception):
    """A consumer made no progress, not even after it was built anew, though its broker answers."""


class Advice(Enum):
    """What to do about a consumer, by the time since its last sign of progress."""

    WELL = "well"
    RED = "red"
    RESTART = "restart"
    EXIT = "exit"


@dataclass(frozen=True)
class Patience:
    """Seconds without progress until readiness is red, the consumer restarts, the process ends."""

    red_s: float = 15.0
    restart_s: float = 30.0
    exit_s: float = 120.0
    check_s: float = 5.0
    """How often an idle consumer's position is compared with the end of its partitions."""


PATIENCE: Final = Patience()


class Watchdog:
    """Remembers the last progress. Progress is a record handled, or nothing left to handle."""

    def __init__(self, clock: Clock, patience: Patience) -> None:
        self._clock = clock
        self._patience = patience
        self._progress_at = clock.monotonic()
        self._restart_at = clock.monotonic()
        self._excused_at = clock.monotonic()

    @property
    def silent_s(self) -> float:
        """Seconds since the last progress."""
        return self._clock.monotonic() - self._progress_at

    def progress(self, ago_s: float = 0.0) -> None:
        """Note that records were handled, or that there were none to handle so long ago."""
        at = self._clock.monotonic() - ago_s
        self._progress_at = max(self._progress_at, at)
        self._restart_at = max(self._restart_at, at)

    def excused(self) -> None:
        """Note that the consumer works and others do not: no reason to restart it, yet not well."""
        self._restart_at = self._excused_at = self._clock.monotonic()

    def restarted(self) -> None:
        """Note that the consumer is new: give it time before the next restart."""
        self._restart_at = self._clock.monotonic()

    def advice(self, *, broker_answers: bool) -> Advice:
        """Say what to do. A broker that is away, or was until now, is no reason to end the process.

        Where it was away for longer than `exit_s`, a consumer that is about to join again would
        otherwise have `red_s` to do so, and never be built anew first.
        """
        patience = self._patience
        now = self._clock.monotonic()
        since_restart = now - self._restart_at
        charged_s = min(self.silent_s, now - self._excused_at)
        if broker_answers and charged_s > patience.exit_s and since_restart > patience.red_s:
            return Advice.EXIT
        if since_restart > patience.restart_s:
            return Advice.RESTART
        return Advice.RED if self.silent_s > patience.red_s else Advice.WELL
