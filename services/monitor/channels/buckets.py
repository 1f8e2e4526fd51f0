"""How much a channel is sent (N42): robots close their ears to who says too much. Pure.

Counted over any sixty seconds, not by the clock's minute, because that is how robots count.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, NamedTuple

from services.monitor.channels.domain import Kind

_MINUTE_MS: Final = 60_000
_SECOND_MS: Final = 1_000


class Pace(NamedTuple):
    """What a kind takes in a minute and in a second; robots' own limits lie a tenth above."""

    minute: int
    second: int


PACES: Final = {
    Kind.DINGTALK: Pace(18, 18),
    Kind.FEISHU: Pace(90, 4),
    Kind.WECOM: Pace(18, 18),
    Kind.WEBHOOK: Pace(18, 18),
}


class Share(Enum):
    """For what there must be room: a third is critical ones' alone, and one the digest's."""

    USUAL = auto()
    CRITICAL = auto()
    DIGEST = auto()


@dataclass
class Bucket:
    """What went to one channel lately."""

    pace: Pace
    sent: deque[int] = field(default_factory=deque)
    """When, the oldest first."""
    digested_ms: int = -_MINUTE_MS

    def room(self, share: Share, *, now_ms: int) -> bool:
        """Tell whether one more may be sent now."""
        while self.sent and self.sent[0] <= now_ms - _MINUTE_MS:
            self.sent.popleft()
        if len(self.sent) >= self._most(share):
            return False
        lately = sum(1 for at in self.sent if at > now_ms - _SECOND_MS)
        return lately < self.pace.second

    def spend(self, *, now_ms: int) -> None:
        """Count one that is sent."""
        self.sent.append(now_ms)

    def digests(self, kind: Kind, *, now_ms: int) -> bool:
        """Tell whether a digest is due: one a minute, and to Feishu not when all others send.

        At the full and the half hour its robots refuse what everybody's schedules send.
        """
        minute = now_ms // _MINUTE_MS % 60
        if kind is Kind.FEISHU and minute in {0, 30}:
            return False
        return now_ms - self.digested_ms >= _MINUTE_MS and self.room(Share.DIGEST, now_ms=now_ms)

    def _most(self, share: Share) -> int:
        match share:
            case Share.USUAL:
                return self.pace.minute * 2 // 3 - 1
            case Share.CRITICAL:
                return self.pace.minute - 1
            case Share.DIGEST:
                return self.pace.minute
