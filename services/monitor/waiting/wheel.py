"""Waiting thresholds: a one-second wheel over open waits (H21).

Pure: is told the time, answers which thresholds fell due. Must not know how an alert is sent.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from contracts.people import ConversationId
from services.monitor.profiles.domain import ReadingKey

SLOT_MS: Final = 1000

LATE_LIMIT_MS: Final = 3_600_000
"""A threshold missed by more than an hour (the monitor was away) is not worth an alarm any more."""


class Due(NamedTuple):
    """A threshold of one wait: the wait is named by the record that began it."""

    conversation_id: ConversationId
    reading: ReadingKey
    waiting_offset: int
    waiting_ms: int
    threshold_s: int

    @property
    def due_ms(self) -> int:
        """Return the moment the buyer will have waited so long."""
        return self.waiting_ms + self.threshold_s * 1000


@dataclass(slots=True)
class Wheel:
    """Thresholds of one partition by the second in which they fall due.

    Entries are never withdrawn: whoever takes a due one checks that its wait still stands. So an
    answered wait costs nothing until its slot comes round.
    """

    _slots: defaultdict[int, list[Due]] = field(default_factory=lambda: defaultdict(list))

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))

    def put(self, due: Due) -> None:
        """Add a threshold."""
        self._slots[due.due_ms // SLOT_MS].append(due)

    def take(self, now_ms: int) -> list[Due]:
        """Remove and return what fell due at or before `now_ms`, oldest first.

        What is more than `LATE_LIMIT_MS` late is removed in silence.
        """
        found = []
        for slot in sorted(slot for slot in self._slots if slot * SLOT_MS <= now_ms):
            entries = self._slots.pop(slot)
            later = [due for due in entries if due.due_ms > now_ms]
            if later:
                self._slots[slot] = later
            found += [due for due in entries if 0 <= now_ms - due.due_ms <= LATE_LIMIT_MS]
        return sorted(found, key=lambda due: due.due_ms)
