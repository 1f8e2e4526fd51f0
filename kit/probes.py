"""Through which moment a reader has read: moments at which the end of the log was asked (H31).

Knows one partition and numbers; must not know who asks the broker, or when.
"""

from collections import deque
from typing import Final

KEPT: Final = 64
"""Probes kept at most; the middle ones are thinned, so that the oldest and the newest stay."""

_FEWEST: Final = 3


class Probes:
    """The probes of one partition: what was in the log at a moment lies below an offset.

    Once the reader has passed that offset it is complete through that moment. That there is
    nothing left to read is never asked: a partition with steady traffic is never there.
    """

    def __init__(self, *, kept: int = KEPT) -> None:
        if kept < _FEWEST:
            raise ValueError("probes need an oldest, a middle and a newest: kept must be 3 or more")
        self._kept = kept
        self._waiting: deque[tuple[int, int]] = deque()
        self._through_ms: int | None = None

    @property
    def through_ms(self) -> int | None:
        """The newest moment through which all is read; None before the first probe was passed."""
        return self._through_ms

    def asked(self, at_ms: int, *, end_offset: int) -> None:
        """Remember that at `at_ms`, taken before asking, the log ended below `end_offset`.

        One that is not newer than the last tells nothing and is left out.
        """
        newest = self._waiting[-1] if self._waiting else (self._through_ms or -1, -1)
        if at_ms <= newest[0]:
            return
        self._waiting.append((at_ms, max(end_offset, newest[1])))
        if len(self._waiting) > self._kept:
            oldest, *middle, last = self._waiting
            self._waiting = deque([oldest, *middle[1::2], last])

    def passed(self, next_offset: int) -> int | None:
        """Tell that all below `next_offset` is read; return `through_ms`."""
        while self._waiting and self._waiting[0][1] <= next_offset:
            self._through_ms = self._waiting.popleft()[0]
        return self._through_ms

    def forget(self) -> None:
        """Begin anew, as a partition just taken over does."""
        self._waiting.clear()
        self._through_ms = None
