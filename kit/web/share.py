"""What one connection holds of its listener's room: a place, and bytes that came before their turn.

Counts; what becomes of who finds no room is the caller's business.
"""

from kit.errors import AppError, TooMany, Unavailable
from kit.web.capacity import Bodies, ConnectionLimits


class ConnectionShare:
    """The share of one connection, given back by `leave`.

    One of a trusted proxy speaks for many people, and counts in all alone.
    """

    __slots__ = ("_ahead", "_bodies", "_connections", "_inside", "_unauthenticated", "address")

    def __init__(self, connections: ConnectionLimits, bodies: Bodies, *, address: str) -> None:
        self._connections = connections
        self._bodies = bodies
        self.address = address
        self._unauthenticated = False
        self._ahead = b""
        self._inside = False

    # ---- a place

    def enter(self, *, trusted: bool) -> AppError | None:
        """Take a place; return the refusal if there is none, or none for this address.

        `trusted` is a proxy of ours.
        """
        if self._connections.full:
            return Unavailable()
        if not trusted and self._connections.crowded(self.address):
            return TooMany()
        self._inside = True
        self._connections.enter()
        if not trusted:
            self._unauthenticated = True
            self._connections.unauthenticated(self.address)
        return None

    def authenticated(self) -> None:
        """A token that came on this connection was verified."""
        if self._unauthenticated:
            self._unauthenticated = False
            self._connections.authenticated(self.address)

    def leave(self) -> None:
        """Give everything back. Safe to repeat."""
        self.authenticated()
        self.take_kept()
        if self._inside:
            self._inside = False
            self._connections.leave()

    # ---- bytes

    @property
    def keeps(self) -> bool:
        """Tell whether bytes wait for their turn."""
        return bool(self._ahead)

    def keep(self, data: bytes) -> None:
        """Keep bytes behind those that are kept. Raises `Unavailable`, then keeping none at all."""
        ahead = self.take_kept() + data
        self._bodies.take(self.address, len(ahead))
        self._ahead = ahead

    def take_kept(self) -> bytes:
        """Return what was kept, which is kept no longer."""
        ahead, self._ahead = self._ahead, b""
        if ahead:
            self._bodies.give(self.address, len(ahead))
        return ahead
