"""Which messages a partition folded lately, so that a repeat counts once (H2).

Must not know what a message says.
"""

from typing import Final

REPEAT_MINUTES: Final = 15
"""An id is folded once within so many minutes of log time; clients stop resending after 10."""

_MINUTE_MS: Final = 60_000


class DedupWindow:
    """The ids of the last `REPEAT_MINUTES` of log time, some 140 bytes each.

    Deterministic in log order: what is remembered depends on the records' timestamps alone, so a
    set rebuilt from the log answers as the one that was lost. Ids are kept as 64-bit hashes; two
    of a million alike have a chance of 1 in 10^7. What came since the last `keep` can be taken
    back, so nothing is let go of before.
    """

    def __init__(self, watermark_ms: int = 0) -> None:
        self._newest = self._kept_newest = watermark_ms // _MINUTE_MS
        self._last: dict[int, int] = {}
        self._minutes: dict[int, list[int]] = {}
        self._since: list[tuple[int, int | None]] = []

    def __len__(self) -> int:
        return len(self._last)

    @staticmethod
    def reread_from_ms(watermark_ms: int) -> int:
        """Return the log time from which a lost set is rebuilt."""
        return (watermark_ms // _MINUTE_MS - REPEAT_MINUTES) * _MINUTE_MS

    def repeated(self, message_id: str, timestamp_ms: int) -> bool:
        """Remember an id; return whether it was remembered already."""
        minute = timestamp_ms // _MINUTE_MS
        self._newest = max(self._newest, minute)
        oldest = self._newest - REPEAT_MINUTES
        name = hash(message_id)
        last = self._last.get(name)
        if minute >= oldest and (last is None or minute > last):
            self._since.append((name, last))
            self._last[name] = minute
            bucket = self._minutes.get(minute)
            if bucket is None:
                bucket = self._minutes[minute] = []
            bucket.append(name)
        return last is not None and last >= oldest

    def keep(self) -> None:
        """Make what came since the last time final, and let go of what is too old."""
        self._since.clear()
        if self._newest == self._kept_newest:
            return
        self._kept_newest = self._newest
        oldest = self._newest - REPEAT_MINUTES
        for gone in [minute for minute in self._minutes if minute < oldest]:
            for name in self._minutes.pop(gone):
                if self._last.get(name, oldest) < oldest:
                    del self._last[name]

    def take_back(self) -> None:
        """Remember what was remembered at the last `keep`, as if nothing had come since."""
        for name, last in reversed(self._since):
            if last is None:
                del self._last[name]
            else:
                self._last[name] = last
        self._since.clear()
        self._newest = self._kept_newest
