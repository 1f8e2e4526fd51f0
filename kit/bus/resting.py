"""Rests: what a group does when record after record must be set aside (H29).

Then it is not the records that are wrong but the release, or somebody attacks: going on would pour
the topic away, stopping would need a person. Counts keys, never senders: a bus knows none.
"""

from collections import OrderedDict
from typing import Final

import structlog

from kit.clock import Clock
from kit.metrics import Metrics

log = structlog.get_logger()

IN_A_ROW: Final = 20
"""Keys of which records were set aside with none handled between them; the next one is not."""

FIRST_REST_S: Final = 5.0
NEXT_REST_S: Final = 10.0
"""From one trial to the next while nothing can be handled: who comes meanwhile waits no longer
than that (P13), and a bad release costs one record each time."""

KEYS_KEPT: Final = 10_000
"""Keys remembered as set aside lately; the oldest are forgotten."""


class Rests:
    """Says when a group rests: until a record is handled, or none is left to try."""

    def __init__(self, name: str, *, clock: Clock, metrics: Metrics) -> None:
        self._name = name
        self._clock = clock
        self._gauge = metrics.consumer_resting.labels(name)
        self._gauge.set(0)
        self._row: set[bytes | None] = set()
        self._lately: OrderedDict[bytes | None, None] = OrderedDict()
        self._until = 0.0
        self.reason: str | None = None
        """Why the group rests; None while it does not."""

    @property
    def left_s(self) -> float:
        """Seconds until the next trial; 0 when it is due, or when nobody rests."""
        return 0.0 if self.reason is None else max(0.0, self._until - self._clock.monotonic())

    def lately(self, key: bytes | None) -> bool:
        """Tell whether a record of that key was set aside lately."""
        return key in self._lately

    def admit(self, key: bytes | None) -> bool:
        """Tell whether a record of that key may be set aside without a rest before.

        Counts it, for several partitions are handled at once and each waits for its letter.
        """
        if key not in self._row and len(self._row) >= IN_A_ROW:
            return False
        self._row.add(key)
        return True

    def set_aside(self, key: bytes | None) -> None:
        """Count a record that was set aside. A key counts once: one conversation is no row."""
        self._row.add(key)  # after a trial it was not admitted before
        self._lately[key] = None
        self._lately.move_to_end(key)
        if len(self._lately) > KEYS_KEPT:
            self._lately.popitem(last=False)

    def handled(self) -> None:
        """Note that a record was handled: it ends the row, and the rest."""
        self._row.clear()
        self._over()

    def idle(self) -> None:
        """Note that nothing is left to try: well again, but the next of a new key is a rest."""
        self._over()

    def begin(self, reason: str) -> None:
        """Rest; `reason` is why the record could not be handled that would have been too many."""
        if self.reason is None:
            self._rest(reason, FIRST_REST_S)

    def again(self, reason: str, *, since: float) -> None:
        """Rest on after a trial that began at `since` and brought nothing."""
        self._rest(reason, NEXT_REST_S - (self._clock.monotonic() - since))

    def _over(self) -> None:
        if self.reason is not None:
            self.reason = None
            self._gauge.set(0)
            log.warning("bus.rest.over", name=self._name)

    def _rest(self, reason: str, seconds: float) -> None:
        self.reason = f"rests after {IN_A_ROW} dead letters in a row, the last because: {reason}"
        self._until = self._clock.monotonic() + seconds
        self._gauge.set(1)
        log.critical("bus.rest", name=self._name, seconds=round(seconds, 1), reason=reason)
