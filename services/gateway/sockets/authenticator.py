"""What a token is worth: at the door, at each request, and as long as a socket is open (H13).

Knows tokens and the directory; must not know frames.
"""

from contracts.frames import CloseCode
from kit.bus.ports import Record
from kit.clock import Clock
from kit.errors import AppError
from kit.web.auth import Principal, TokenExpired, TokenVerifier
from services.gateway.hub import Directory, Hub, Person, SocketSession


class NotAdmitted(Exception):
    """There is no token, or it is worth nothing; the client is not told which check failed."""


class Authenticator:
    """Tells whom a token names and whether it is still worth anything."""

    def __init__(
        self, verifier: TokenVerifier, directory: Directory, *, hub: Hub, clock: Clock
    ) -> None:
        self._verifier = verifier
        self._directory = directory
        self._hub = hub
        self._clock = clock

    def person(self, token: str | None) -> Person:
        """Return whom the token names. Raises `TokenExpired`, or `NotAdmitted` for all else."""
        if token is None:
            raise NotAdmitted
        try:
            person = Person.of(self._verifier.verify(token))
        except TokenExpired:
            raise
        except (AppError, ValueError):
            raise NotAdmitted from None
        if self._directory.revoked(person):
            raise NotAdmitted
        return person

    def withdrawn(self, principal: Principal) -> bool:
        """Tell whether a request's good token is worth nothing any more."""
        try:
            return self._directory.revoked(Person.of(principal))
        except ValueError:
            return True

    def listed(self, record: Record) -> None:
        """Take over a record of the directory; sockets whose token it withdraws are closed."""
        changed = self._directory.apply(record)
        if changed is not None:
            self._hub.each_of(changed, self._check)

    def _check(self, socket: SocketSession) -> None:
        if self._directory.revoked(socket.person):
            socket.close(CloseCode.REVOKED, self._clock.monotonic())
