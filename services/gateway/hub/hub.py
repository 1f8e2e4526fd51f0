"""Who is connected and what is delivered to whom: conversations, inboxes, boards.

Encodes a frame once for all its sockets. Must not know topics, services or how sockets are made.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import contracts
from contracts.base import Event, rfc3339
from contracts.conversation import LaterLifecycle, Lifecycle, read_lifecycle
from contracts.gateway import SignalSent
from contracts.people import PersonId, Role, ShopId, WorkId
from kit.clock import Clock
from services.gateway.frames import records, server
from services.gateway.frames.names import BoardName, InboxName
from services.gateway.frames.records import Entry, PoisonRecord
from services.gateway.frames.refusals import IdConflict
from services.gateway.hub.conversations import Conversation, Seat, SeatState, View, view
from services.gateway.hub.session import Session
from services.gateway.hub.subscriptions import BoardSubscription, InboxSubscription, Subscription

INBOX: Final = str(InboxName())
JOIN_LIMIT: Final = 1_000
"""Inbox events held while a snapshot is fetched; one more and its join fails."""


class Hub:
    """All sessions of this gateway, by what they watch."""

    def __init__(self, clock: Clock) -> None:
        self.conversations: dict[bytes, Conversation] = {}
        self.people: dict[PersonId, list[Session]] = {}
        self.monitors: dict[ShopId, list[BoardSubscription]] = {}
        self.boards: dict[ShopId, bytes] = {}
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

    def message(self, entry: Entry, conversation: Conversation) -> None:
        """Deliver a chat message to everybody who watches it."""
        try:
            said = records.spoken(entry)
            shown = view(entry, not_owner=not conversation.heard(said))
        except PoisonRecord:
            self.poisoned += 1
            return
        self._deliver(entry, conversation, shown)

    def lifecycle(self, entry: Entry) -> None:
        """Apply a lifecycle event, deliver it, and tell the inboxes it concerns.

        One of a newer release only raises the version (H47).
        """
        conversation = self.conversations.get(entry.key)
        try:
            event = read_lifecycle(entry)
            shown = view(entry)
        except (contracts.UnknownEvent, contracts.UnreadableEvent, PoisonRecord):
            self.poisoned += 1
            return
        if isinstance(event, LaterLifecycle):
            if conversation is not None:
                conversation.apply(event)
            return
        owner = None
        if conversation is not None:
            owner = conversation.owner_id
            conversation.apply(event)
            self._deliver(entry, conversation, shown)
        self._tell_inboxes(event, shown, {event.buyer_id, owner})

    def conflict(self, entry: Entry, first: Entry) -> None:
        """An id came round with another body: tell its sender that the first one stands (H3)."""
        conversation = self.conversations.get(entry.key)
        if conversation is None or entry.is_lifecycle:
            return
        try:
            second, original = records.spoken(entry), records.spoken(first)
        except PoisonRecord:
            self.poisoned += 1
            return
        if second.body_hash == original.body_hash:
            return
        for seat in conversation.seats:
            if seat.session.person.subject == second.sender_id:
                seat.session.offer(server.err(second.client_id, IdConflict()))

    def _deliver(self, entry: Entry, conversation: Conversation, shown: View) -> None:
        offset = entry.offset
        frames: dict[bool, bytes] = {}
        for seat in conversation.seats:
            if seat.state is not SeatState.LIVE or offset <= seat.sent:
                continue
            buyer = seat.session.person.is_buyer
            frame = frames.get(buyer)
            if frame is None:
                frame = frames[buyer] = server.event(
                    conversation.s, shown.of(seat), position=(conversation.generation, offset)
                )
            if seat.session.offer(frame):
                seat.sent = offset
                self.delivered += 1
            else:
                seat.state = SeatState.WITHHELD
                seat.session.full(self._clock.monotonic())

    # ---- inboxes

    def _tell_inboxes(self, event: Lifecycle, shown: View, also: Iterable[PersonId | None]) -> None:
        head = b'"version":%d,"conversation_id":"%b",' % (
            event.version,
            event.conversation_id.encode(),
        )
        concerned = {getattr(event, name, None) for name in _CONCERNED} | set(also)
        for session in self._sessions_of(concerned):
            body = shown.buyer if session.person.is_buyer else shown.staff
            self._to_inbox(session, server.event(INBOX, head + body))

    def tell(
        self,
        people: Iterable[PersonId | None],
        *,
        event: Event,
        version: int | None = None,
        work_id: WorkId | None = None,
    ) -> None:
        """Put an event of another topic into people's inboxes."""
        head = b"" if version is None else b'"version":%d,' % version
        if work_id is not None:
            head += b'"work_id":"%b",' % work_id.encode()
        frame = server.event(INBOX, head + event_body(event))
        for session in self._sessions_of(people):
            self._to_inbox(session, frame)

    def _sessions_of(self, people: Iterable[PersonId | None]) -> Iterator[Session]:
        for person in people:
            if person is not None:
                yield from list(self.people.get(person, ()))

    def attach_inbox(self, session: Session) -> InboxSubscription:
        """Subscribe the session to its person's inbox; nothing comes before the first join."""
        inbox = session.inbox = InboxSubscription(session)
        return inbox

    def release(self, inbox: InboxSubscription) -> None:
        """Deliver what was held while a snapshot was fetched; from now on events come at once."""
        held, inbox.held = inbox.held, None
        if inbox.live:
            for frame in held or ():
                self._offer(inbox.session, frame)

    def _to_inbox(self, session: Session, frame: bytes) -> None:
        inbox = session.inbox
        if inbox is None:
            return
        if inbox.held is not None:
            if len(inbox.held) < JOIN_LIMIT:
                inbox.held.append(frame)
                return
            self.release(inbox)
        if inbox.live:
            self._offer(session, frame)

    def _offer(self, session: Session, frame: bytes) -> None:
        if not session.offer(frame):
            session.full(self._clock.monotonic())

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

    def board(self, shop: ShopId, d: bytes) -> None:
        """Keep the shop's board and send it to who watches."""
        self.boards[shop] = d
        s = str(BoardName(shop))
        watchers = self.monitors.get(shop)
        if watchers:
            frame = server.patch(s, d)
            for watcher in watchers:
                watcher.session.patch(s, frame)

    def alert(self, event: Event) -> None:
        """Send an alert to who watches the shop."""
        watchers = self.monitors.get(event.shop_id)
        if watchers:
            frame = server.event(str(BoardName(event.shop_id)), event_body(event))
            for watcher in watchers:
                watcher.session.lossy(frame)

    # ---- signals and people

    def signal(self, event: SignalSent) -> None:
        """Show somebody's typing or reading to the others."""
        conversation = self.conversations.get(event.conversation_id.encode())
        if conversation is None:
            return
        shown: dict[str, object] = {"person_id": event.person_id, "time": rfc3339(event.time)}
        if event.position is not None:
            shown["position"] = event.position
        frame = server.patch(conversation.s, server.json({event.signal: shown}))
        for seat in conversation.seats:
            if seat.state is SeatState.LIVE and seat.session.person.subject != event.person_id:
                seat.session.lossy(frame)

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


_CONCERNED: Final = ("agent_id", "previous_agent_id", "from_agent_id", "to_agent_id")


def event_body(event: Event) -> bytes:
    """Return the body of an `ev` for an event that was decoded by its contract."""
    headers = dict(event.headers())
    return b'"id":"%b","type":"%b","time":"%b","d":%b' % (
        headers["ce_id"],
        headers["ce_type"],
        headers["ce_time"],
        event.body(),
    )
