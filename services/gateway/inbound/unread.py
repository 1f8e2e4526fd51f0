"""Messages that the broker has acknowledged and this gateway's own reader has not met yet.

Between the two a resend would be found neither among pending sends nor in the ring (H3).
Must not know sockets or frames.
"""

from typing import Final, NamedTuple

from kit.bus.ports import Position
from services.gateway.history import Ring

UNREAD: Final = 20_000
"""Messages remembered at most; the oldest go first. A resend of one that went is produced again,
and readers drop it by its id."""


class Acked(NamedTuple):
    """An acknowledged message: the hash of its body and its place."""

    body_hash: str
    place: Position


class Unread:
    """What is on its way back from the broker, oldest first."""

    def __init__(self, ring: Ring, *, limit: int = UNREAD) -> None:
        self._ring, self._limit = ring, limit
        self._acked: dict[str, Acked] = {}

    def __len__(self) -> int:
        return len(self._acked)

    def add(self, message_id: str, acked: Acked) -> None:
        """Keep a message that the ring does not hold yet, and let go of those it does."""
        while self._acked:
            oldest = next(iter(self._acked))
            if len(self._acked) < self._limit and not self._is_read(self._acked[oldest]):
                break
            del self._acked[oldest]
        if not self._is_read(acked):
            self._acked[message_id] = acked

    def find(self, message_id: str) -> Acked | None:
        """Return the message if it is remembered here."""
        return self._acked.get(message_id)

    def _is_read(self, acked: Acked) -> bool:
        return self._ring.end(acked.place.partition) > acked.place.offset
