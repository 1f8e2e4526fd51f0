"""Which messages a partition folded lately, so that a repeat counts once (H2).

Must not know what a message says.
"""

from typing import Final

REPEAT_MINUTES: Final = 15
"""An id is folded once within so many minutes of log time; clients stop resending after 10."""

_MINUTE_MS: Final = 60_000


class Recent:
    """The ids of the last `REPEAT_MINUTES` of log time, some 80 bytes each.

    Deterministic in log order: what is remembered depends on the records' timestamps alone, so a
    set rebuilt from the log answers as the one that was lost. Ids are kept as 64-bit hashes; two
    of a million alike have a chance of 1 in 10^7.
    """

    def __init__(self, watermark_ms: int = 0) -> None:
        self._newest = watermark_ms // _MINUTE_MS
        self._seen: set[int] = set()
        self._minutes: dict[int, list[int]] = {}
        self._again: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._seen)

    @staticmethod
    def reread_from_ms(watermark_ms: int) -> int:
        """Return the log time from which a lost set is rebuilt."""
        return (watermark_ms // _MINUTE_MS - REPEAT_MINUTES) * _MINUTE_MS

    def repeated(self, message_id: str, timestamp_ms: int) -> bool:
        """Remember an id; return whether it was remembered already."""
        minute = timestamp_ms // _MINUTE_MS
        if minute > self._newest:
            self._move_to(minute)
        name = hash(message_id)
        repeat = name in self._seen
        if minute < self._newest - REPEAT_MINUTES:
            return repeat
        if repeat:
            self._again[name] = max(minute, self._again.get(name, 0))
        self._seen.add(name)
        bucket = self._minutes.get(minute)
        if bucket is None:
            bucket = self._minutes[minute] = []
        bucket.append(name)
        return repeat

    def _move_to(self, minute: int) -> None:
        self._newest = minute
        oldest = minute - REPEAT_MINUTES
        for gone in [known for known in self._minutes if known < oldest]:
            for name in self._minutes.pop(gone):
                if self._again.get(name, -1) < oldest:
                    self._again.pop(name, None)
                    self._seen.discard(name)
