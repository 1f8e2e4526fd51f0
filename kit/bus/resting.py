"""Rests: what a group does when record after record must be set aside (H29).

Then it is not the records that are wrong but the release, or somebody attacks: going on would pour
the topic away, stopping would need a person. Counts keys, never senders: a bus knows none.
"""

from collections import OrderedDict
from collections.abc import Iterable
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


class Row:
    """Keys of which records were set aside, with none handled between them."""

    def __init__(self, keys: Iterable[bytes | None] = ()) -> None:
        self._keys = set(keys)

    def admit(self, key: bytes | None) -> bool:
        """Count a record of that key, unless it is one too many. A key counts once."""
        if key not in self._keys and len(self._keys) >= IN_A_ROW:
            return False
        self._keys.add(key)
        return True

    def add(self, key: bytes | None) -> None:
        """Count a record of that key whether it is one too many or not."""
        self._keys.add(key)

    def end(self) -> None:
        """A record was handled."""
        self._keys.clear()

    def copy(self) -> "Row":
        """Return a row to look ahead with."""
        return Row(self._keys)


class Rests:
    """Says when a group rests: until a record is handled, or none is left to try."""

    def __init__(self, name: str, *, clock: Clock, metrics: Metrics) -> None:
        self._name = name
        self._clock = clock
        self._gauge = metrics.consumer_resting.labels(name)
        self._gauge.set(0)
        self._count = metrics.consumer_rests.labels(name)
        self._row = Row()
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
        return self._row.admit(key)

    def ahead(self) -> Row:
        """Return the row as it stands, for a look at what would be one too many."""
        return self._row.copy()

    def set_aside(self, key: bytes | None) -> None:
        """Count a record that was set aside. A key counts once: one conversation is no row."""
        self._row.add(key)  # after a trial it was not admitted before
        self._lately[key] = None
        self._lately.move_to_end(key)
        if len(self._lately) > KEYS_KEPT:
            self._lately.popitem(last=False)

    def handled(self) -> None:
        """Note that a record was handled: it ends the row, and the rest."""
        self._row.end()
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
        self._count.inc()
        log.critical("bus.rest", name=self._name, seconds=round(seconds, 1), reason=reason)
