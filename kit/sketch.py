"""Percentiles of durations by counting them in bins, so that stretches and members add up.

Bins grow by two percent, so the middle of one is within one percent of all that it counts. Their
edges are whole milliseconds: no float decides a bin, on any machine or in PostgreSQL, and what is
added in another order is equal to the bit. Knows no figure.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Final, Self

LONGEST_MS: Final = 25 * 3_600_000
"""The longest local day; what lasted longer is counted in the last bin."""

EXACT_UP_TO: Final = 100_000
"""So many samples are sorted; more are counted in bins."""


def _edges() -> tuple[int, ...]:
    edges = [0]
    while edges[-1] < LONGEST_MS:
        edges.append(max(edges[-1] + 1, edges[-1] * 102 // 100))
    return tuple(edges)


EDGES: Final = _edges()
"""Bin n holds what is at least the n-th edge and less than the next: PostgreSQL's `width_bucket`.

In another release they are the same: sketches are stored.
"""


def bin_of(duration_ms: int) -> int:
    """Return the number of a duration's bin, from 1."""
    return max(1, min(len(EDGES) - 1, bisect_right(EDGES, duration_ms)))


def middle_ms(number: int) -> int:
    """Return what a bin is said to hold: off by one percent at most."""
    return (EDGES[number - 1] + EDGES[number] - 1) // 2


def rank(permille: int, samples: int) -> int:
    """Return which of so many ascending samples a percentile is: the nearest rank, from 1."""
    return max(1, -(-permille * samples // 1000))


@dataclass(frozen=True, slots=True)
class Sketch:
    """Durations, counted by bin; the longest is exact."""

    bins: Mapping[int, int] = field(default_factory=dict)
    longest_ms: int | None = None

    @classmethod
    def of(cls, durations_ms: Iterable[int]) -> Self:
        """Count durations."""
        alike = Counter(durations_ms)
        bins = Counter[int]()
        for duration_ms, count in alike.items():
            bins[bin_of(duration_ms)] += count
        return cls(dict(bins), max(alike, default=None))

    def __add__(self, other: "Sketch") -> "Sketch":
        bins = Counter(self.bins)
        bins.update(other.bins)
        both = [one for one in (self.longest_ms, other.longest_ms) if one is not None]
        return Sketch(dict(bins), max(both, default=None))

    @property
    def samples(self) -> int:
        """Return how many durations are counted."""
        return sum(self.bins.values())

    def percentile(self, permille: int) -> int | None:
        """Return the nearest rank's bin's middle, never more than the longest; None: no sample."""
        wanted = rank(permille, self.samples)
        passed = 0
        for number in sorted(self.bins):
            passed += self.bins[number]
            if passed >= wanted:
                middle = middle_ms(number)
                return middle if self.longest_ms is None else min(middle, self.longest_ms)
        return None


def whole(sketches: Iterable[Sketch]) -> Sketch:
    """Return all of them as one."""
    return reduce(Sketch.__add__, sketches, Sketch())


def exact(durations_ms: Iterable[int], permille: int) -> int | None:
    """Return the nearest rank itself; None: no sample."""
    ascending = sorted(durations_ms)
    return ascending[rank(permille, len(ascending)) - 1] if ascending else None
