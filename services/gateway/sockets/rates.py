"""How fast the frames of a socket may come: whose bucket they are taken from, and what is over it.

Knows sockets and the weight of what they say; must not know frames.
"""

from contracts.frames import CloseCode
from kit.clock import Clock
from kit.web.limits import TokenBucket
from services.gateway.hub import Person, SocketSession
from services.gateway.limits import FORGIVE_S, STRIKES, Rate, SharedRates


class FrameRates:
    """The rate of all sockets: a buyer's each have it, those of one member of staff share it."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._shared = SharedRates(rate, clock)

    def bucket_of(self, person: Person) -> TokenBucket:
        """Return what a socket's frames are taken from; the gate's work for staff is bounded so."""
        if person.is_buyer:
            return self._rate.bucket(self._clock)
        return self._shared.of(person.subject)

    def admit(self, socket: SocketSession, weight: int) -> bool:
        """Tell whether a frame is within the rate; the third one over it closes (4003)."""
        now = self._clock.monotonic()
        if now - socket.heard_at > FORGIVE_S:
            socket.strikes = 0
        socket.heard_at = now
        if socket.bucket.take(weight):
            return True
        socket.strikes += 1
        if socket.strikes >= STRIKES:
            socket.close(CloseCode.RATE, now)
        return False
