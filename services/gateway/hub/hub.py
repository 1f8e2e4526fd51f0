"""Who is connected here, and the beginning and the end of everything that a socket watches.

Must not know topics or services, how sockets are made, or what is delivered.
"""

from collections.abc import Callable, Iterable, Iterator

from contracts.people import PersonId, Role, ShopId
from kit.clock import Clock
from services.gateway.hub.session import SocketSession, Subscription


class Hub:
    """All sockets of this gateway, by person."""

    def __init__(self, clock: Clock) -> None:
        self.people: dict[PersonId, list[SocketSession]] = {}
        self._clock = clock

    # ---- sockets

    def sockets(self) -> Iterator[SocketSession]:
        """Walk over all sockets."""
        for group in list(self.people.values()):
            yield from list(group)

    def __len__(self) -> int:
        return sum(map(len, self.people.values()))

    def offer(self, socket: SocketSession, frame: bytes) -> bool:
        """Write the frame or let it wait. False: the queue is full, and that is noted."""
        taken = socket.offer(frame)
        if not taken:
            socket.full(self._clock.monotonic())
        return taken

    def enter(self, socket: SocketSession) -> None:
        """Take a socket in."""
        self.people.setdefault(socket.person.subject, []).append(socket)

    def leave(self, socket: SocketSession) -> None:
        """Forget a socket and everything it watches. Safe to repeat."""
        for subscription in list(socket.subscriptions.values()):
            self.detach(subscription)
        mine = self.people.get(socket.person.subject)
        if mine and socket in mine:
            mine.remove(socket)
            if not mine:
                del self.people[socket.person.subject]

    def attach(self, subscription: Subscription) -> None:
        """Let a socket have one more subscription."""
        subscription.socket.subscriptions[subscription.s] = subscription

    def detach(self, subscription: Subscription) -> None:
        """End this subscription and no other one, whatever its socket holds by now. Repeatable."""
        if subscription.left:
            return
        subscription.left = True
        del subscription.socket.subscriptions[subscription.s]
        subscription.kind.leave(subscription)

    # ---- people

    def of(self, people: Iterable[PersonId | None]) -> Iterator[SocketSession]:
        """Walk over the sockets of these people."""
        for person in people:
            if person is not None:
                yield from list(self.people.get(person, ()))

    def connected(self) -> list[tuple[PersonId, ShopId, Role]]:
        """Return everybody with at least one open socket here."""
        return [
            (subject, sockets[0].person.shop_id, sockets[0].person.role)
            for subject, sockets in self.people.items()
        ]

    def each_of(self, person: PersonId, act: Callable[[SocketSession], None]) -> None:
        """Do something with all sockets of a person."""
        for socket in list(self.people.get(person, ())):
            act(socket)
