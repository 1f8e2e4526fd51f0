"""Waiting thresholds: a one-second wheel over open waits (H21).

Pure: is told the time, answers which waits fell due. Must not know how an alert is sent.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from contracts.people import ConversationId

SLOT_MS: Final = 1000


class Due(NamedTuple):
    """The next threshold of one wait: the wait is named by the record that began it."""

    conversation_id: ConversationId
    waiting_offset: int
    waiting_ms: int
    threshold_s: int

    @property
    def due_ms(self) -> int:
        """Return the moment the buyer will have waited so long."""
        return self.waiting_ms + self.threshold_s * 1000


@dataclass(slots=True)
class Wheel:
    """Waits of one partition by the second in which their next threshold falls due.

    Entries are never withdrawn: whoever takes a due one checks that its wait still stands. So an
    answered wait costs nothing until its slot comes round.
    """

    _slots: defaultdict[int, list[Due]] = field(default_factory=lambda: defaultdict(list))

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on it, which costs less to tell than how much."""
        return not self._slots

    def put(self, due: Due) -> None:
        """Add a wait."""
        self._slots[due.due_ms // SLOT_MS].append(due)

    def take(self, now_ms: int) -> list[Due]:
        """Remove and return what fell due at or before `now_ms`, oldest first."""
        found = []
        for slot in sorted(slot for slot in self._slots if slot * SLOT_MS <= now_ms):
            entries = self._slots.pop(slot)
            later = [due for due in entries if due.due_ms > now_ms]
            if later:
                self._slots[slot] = later
            found += [due for due in entries if due.due_ms <= now_ms]
        return sorted(found, key=lambda due: due.due_ms)
