"""Who is connected here, and the beginning and the end of everything that a socket watches.

Must not know topics or services, how sockets are made, or what is delivered.
"""

from collections.abc import Callable, Iterable, Iterator

from contracts.people import PersonId, Role, ShopId
from kit.clock import Clock
from services.gateway.hub.session import Session, Subscription


class Hub:
    """All sessions of this gateway, by person."""

    def __init__(self, clock: Clock) -> None:
        self.people: dict[PersonId, list[Session]] = {}
        self._clock = clock

    # ---- sessions

    def sessions(self) -> Iterator[Session]:
        """Walk over all sessions."""
        for group in list(self.people.values()):
            yield from list(group)

    def __len__(self) -> int:
        return sum(map(len, self.people.values()))

    def offer(self, session: Session, frame: bytes) -> bool:
        """Write the frame or let it wait. False: the queue is full, and that is noted."""
        taken = session.offer(frame)
        if not taken:
            session.full(self._clock.monotonic())
        return taken

    def enter(self, session: Session) -> None:
        """Take a session in."""
        self.people.setdefault(session.person.subject, []).append(session)

    def leave(self, session: Session) -> None:
        """Forget a session and everything it watches. Safe to repeat."""
        for subscription in list(session.subscriptions.values()):
            self.detach(subscription)
        mine = self.people.get(session.person.subject)
        if mine and session in mine:
            mine.remove(session)
            if not mine:
                del self.people[session.person.subject]

    def attach(self, subscription: Subscription) -> None:
        """Let a session have one more subscription."""
        subscription.session.subscriptions[subscription.s] = subscription

    def detach(self, subscription: Subscription) -> None:
        """End this subscription and no other one, whatever its session holds by now. Repeatable."""
        if subscription.left:
            return
        subscription.left = True
        del subscription.session.subscriptions[subscription.s]
        subscription.kept_by.leave(subscription)

    # ---- people

    def of(self, people: Iterable[PersonId | None]) -> Iterator[Session]:
        """Walk over the sessions of these people."""
        for person in people:
            if person is not None:
                yield from list(self.people.get(person, ()))

    def connected(self) -> list[tuple[PersonId, ShopId, Role]]:
        """Return everybody with at least one open socket here."""
        return [
            (subject, sessions[0].person.shop_id, sessions[0].person.role)
            for subject, sessions in self.people.items()
        ]

    def each_of(self, person: PersonId, act: Callable[[Session], None]) -> None:
        """Do something with all sessions of a person."""
        for session in list(self.people.get(person, ())):
            act(session)
