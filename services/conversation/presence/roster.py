"""Who is at a desk: folds presence reports and tells whom no gateway has carried in time (H16).

Pure: time comes as seconds of *observed* time, which stands still while reports cannot be read.
"""

import math
from collections.abc import Iterable
from typing import Final

from contracts.people import PersonId

LOST_AFTER_S: Final = 30.0
"""Observed seconds without any gateway carrying the agent; three reports of ten seconds."""

STEP_MOST_S: Final = 2.0
"""Observed time between two looks counts at most this much: a frozen process has seen nothing."""


class Roster:
    """When each agent was last carried by a gateway, on the scale of observed time.

    Holds an entry per person expected or seen within the limit: bounded by the connected people.
    """

    def __init__(self, lost_after_s: float = LOST_AFTER_S) -> None:
        self._lost_after_s = lost_after_s
        self._observed_s = 0.0
        self._seen: dict[PersonId, float] = {}
        self._expected: frozenset[PersonId] = frozenset()

    def report(self, people: Iterable[PersonId]) -> None:
        """Take the people that one gateway carries now."""
        for person in people:
            self._seen[person] = self._observed_s

    def observe(self, elapsed_s: float) -> None:
        """Let time count: called only while the reports are read up to their end."""
        self._observed_s += min(max(elapsed_s, 0.0), STEP_MOST_S)

    def lost(self, expected: frozenset[PersonId]) -> list[PersonId]:
        """Return those of `expected` whom nobody carried in time.

        Whoever was not expected at the last look and not carried in time counts as seen now: he may
        be about to connect, and a roster that has just started has seen nobody yet.
        """
        if expected is not self._expected:
            for person in expected - self._expected:
                if not self._in_time(person):
                    self._seen[person] = self._observed_s
            self._expected = expected
        self._forget()
        seen, oldest = self._seen, self._oldest_s
        return sorted([person for person in expected if seen[person] < oldest])

    def carried(self, people: Iterable[PersonId]) -> list[PersonId]:
        """Return those whom a gateway carried in time."""
        return sorted(person for person in people if self._in_time(person))

    @property
    def _oldest_s(self) -> float:
        """The last moment at which somebody who is still there may have been carried."""
        return self._observed_s - self._lost_after_s

    def _in_time(self, person: PersonId) -> bool:
        return self._seen.get(person, -math.inf) >= self._oldest_s

    def _forget(self) -> None:
        expected, oldest = self._expected, self._oldest_s
        gone = [p for p, seen in self._seen.items() if seen < oldest and p not in expected]
        for person in gone:
            del self._seen[person]
