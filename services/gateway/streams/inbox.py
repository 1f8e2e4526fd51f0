"""A person's inbox as a stream: a snapshot, then events with versions (H12).

While a snapshot is fetched events are held. Must not know what an event means.
"""

from functools import partial
from typing import Final

from typing_extensions import override

from kit.errors import NotFound, Unavailable
from services.gateway.frames import server
from services.gateway.frames.names import InboxName
from services.gateway.history import Archive
from services.gateway.hub import Hub, Keeper, Session, Subscription
from services.gateway.limits import FairTurns
from services.gateway.resume import NeedsSnapshot
from services.gateway.streams.joins import Joins
from services.gateway.streams.port import News, Stream

INBOX: Final = str(InboxName())
JOIN_LIMIT: Final = 1_000
"""Events held while a snapshot is fetched; one more and its join fails."""


class InboxSubscription(Subscription):
    """A person's inbox on one socket.

    `held` keeps events while a snapshot is fetched; None when none is, or when too many came.
    `live` is set by the first snapshot.
    """

    __slots__ = ("held", "live")

    def __init__(self, session: Session, kept_by: Keeper) -> None:
        super().__init__(session, INBOX, kept_by)
        self.held: list[bytes] | None = None
        self.live = False


class InboxStream(Stream[InboxName, News]):
    """Every inbox that is watched here."""

    def __init__(self, hub: Hub, joins: Joins, *, archive: Archive, turns: FairTurns) -> None:
        self._hub = hub
        self._joins = joins
        self._archive = archive
        self._turns = turns

    @override
    def subscribe(
        self, session: Session, name: InboxName, *, frame_id: str | None, position: object
    ) -> None:
        """Join, or share the join that is under way; a live inbox joins anew."""
        del name, position  # there is one inbox, and it has no position (H12)
        inbox = inbox_of(session)
        if inbox is None:
            inbox = InboxSubscription(session, self)
            self._hub.attach(inbox)
        joining = bool(inbox.owed)
        inbox.owed = (*inbox.owed, frame_id)
        if not joining:
            inbox.held = []
            work, failed = self._join(inbox), partial(self._failed, inbox)
            self._joins.spawn(self._joins.run(inbox, work, failed=failed))

    @override
    def unsubscribe(self, session: Session, name: InboxName) -> None:
        """Leave the inbox, if it is watched."""
        del name
        inbox = inbox_of(session)
        if inbox is not None:
            self._joins.end(inbox)

    @override
    def leave(self, subscription: Subscription) -> None:
        """Nothing is kept beside the session's own subscription."""

    @override
    def deliver(self, told: News) -> None:
        """Deliver to subscribed inboxes; while a snapshot is fetched, hold it."""
        frames: dict[bool, bytes] = {}
        for session in self._hub.of(told.people):
            inbox = inbox_of(session)
            if inbox is None:
                continue
            buyer = session.person.is_buyer
            frame = frames.get(buyer)
            if frame is None:
                body = told.buyer if buyer else told.staff
                frame = frames[buyer] = server.event(INBOX, body)
            self._deliver(inbox, frame)

    def refill(self, session: Session) -> None:
        """Events of a full queue are gone, and no position leads back to them."""
        inbox = inbox_of(session)
        if inbox is not None and inbox.live:
            session.answer(server.resync(INBOX, "slow_reader"))

    def _deliver(self, inbox: InboxSubscription, frame: bytes) -> None:
        if inbox.held is not None:
            if len(inbox.held) < JOIN_LIMIT:
                inbox.held.append(frame)
                return
            self._release(inbox)
        if inbox.live:
            self._hub.offer(inbox.session, frame)

    def _release(self, inbox: InboxSubscription) -> None:
        """Deliver what was held while a snapshot was fetched; from now on events come at once."""
        held, inbox.held = inbox.held, None
        if inbox.live:
            for frame in held or ():
                self._hub.offer(inbox.session, frame)

    async def _join(self, inbox: InboxSubscription) -> None:
        session = inbox.session
        async with self._turns.of(session.person.subject):
            inbox.check()  # who left while he waited costs nobody a question
            try:
                snapshot = await self._archive.inbox(session.person)
            except NotFound:
                raise Unavailable from None
        inbox.check()
        if inbox.held is None:  # too much came meanwhile
            raise Unavailable if inbox.live else NeedsSnapshot("slow_reader")
        for frame_id in inbox.take_owed():
            session.answer(server.ok(frame_id, {"s": INBOX}))
        session.answer(server.snap(INBOX, snapshot))
        inbox.live = True
        self._release(inbox)

    def _failed(self, inbox: InboxSubscription, error: Exception) -> None:
        """Go on as before: live with what was held meanwhile, or not at all."""
        if inbox.live:
            self._release(inbox)
            return
        self._hub.detach(inbox)
        if isinstance(error, NeedsSnapshot):
            inbox.session.answer(server.resync(INBOX, error.reason))


def inbox_of(session: Session) -> InboxSubscription | None:
    """Return the session's subscription to its inbox, if there is one."""
    found = session.subscriptions.get(INBOX)
    return found if isinstance(found, InboxSubscription) else None
