"""Who is connected here, and who watches what: conversations, inboxes, boards.

Must not know topics or services, how sockets are made, or what is delivered.
"""

from collections.abc import Callable, Iterable, Iterator

from contracts.people import PersonId, Role, ShopId
from kit.clock import Clock
from services.gateway.hub.conversations import Conversation, Seat
from services.gateway.hub.session import Session
from services.gateway.hub.subscriptions import BoardSubscription, InboxSubscription, Subscription


class Hub:
    """All sessions of this gateway, by what they watch."""

    def __init__(self, clock: Clock) -> None:
        self.conversations: dict[bytes, Conversation] = {}
        self.people: dict[PersonId, list[Session]] = {}
        self.monitors: dict[ShopId, list[BoardSubscription]] = {}
        self.delivered = 0
        self.poisoned = 0
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
        for subscription in session.subscriptions():
            self.detach(subscription)
        mine = self.people.get(session.person.subject)
        if mine and session in mine:
            mine.remove(session)
            if not mine:
                del self.people[session.person.subject]

    def detach(self, subscription: Subscription) -> None:
        """End this subscription and no other one, whatever its session holds by now. Repeatable."""
        if subscription.left:
            return
        subscription.left = True
        match subscription:
            case Seat():
                self._unseat(subscription)
            case InboxSubscription(session=session):
                session.inbox = None
            case BoardSubscription():
                self._unwatch(subscription)

    # ---- conversations

    def attach(self, session: Session, key: bytes) -> Seat:
        """Seat the session, not yet live; facts of the conversation are kept from now on."""
        conversation = self.conversations.get(key)
        if conversation is None:
            conversation = self.conversations[key] = Conversation(key)
        seat = Seat(session, conversation)
        conversation.seats.append(seat)
        session.seats[key] = seat
        return seat

    def _unseat(self, seat: Seat) -> None:
        conversation = seat.conversation
        del seat.session.seats[conversation.key]
        conversation.seats.remove(seat)
        if not conversation.seats:
            del self.conversations[conversation.key]

    # ---- inboxes

    def of(self, people: Iterable[PersonId | None]) -> Iterator[Session]:
        """Walk over the sessions of these people."""
        for person in people:
            if person is not None:
                yield from list(self.people.get(person, ()))

    def attach_inbox(self, session: Session) -> InboxSubscription:
        """Subscribe the session to its person's inbox; nothing comes before the first join."""
        inbox = session.inbox = InboxSubscription(session)
        return inbox

    # ---- shops

    def watch(self, session: Session, shop: ShopId) -> BoardSubscription:
        """Send the shop's board and alerts to this session from now on."""
        board = BoardSubscription(session, shop)
        session.boards = (*session.boards, board)
        self.monitors.setdefault(shop, []).append(board)
        return board

    def _unwatch(self, board: BoardSubscription) -> None:
        session, watchers = board.session, self.monitors[board.shop]
        session.boards = tuple(one for one in session.boards if one is not board)
        watchers.remove(board)
        if not watchers:
            del self.monitors[board.shop]

    # ---- people

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
