"""A person's inbox as a stream: a snapshot, then events with versions (H12).

While a snapshot is fetched events are held. Knows whom an event concerns, not what it means.
"""

from collections import OrderedDict
from functools import partial
from typing import Final, TypeAlias

import msgspec
from msgspec import Raw
from typing_extensions import override

import contracts
from contracts.base import Event
from contracts.conversation import AgentStateChanged
from contracts.monitor import WaitingThresholdPassed
from contracts.people import PersonId, WorkId
from contracts.topics import ALERTS, STAFF, WORK
from contracts.work import WorkAssigned, WorkEscalated, WorkSettled, WorkSettledV2
from kit.bus.ports import Record
from kit.errors import NotFound, Unavailable
from services.gateway.channels import Hearers
from services.gateway.frames import server
from services.gateway.frames.names import InboxName
from services.gateway.history import HistoryClient
from services.gateway.history.client import Inbox
from services.gateway.hub import Hub, NeedsSnapshot, SocketSession, StreamKind, Subscription
from services.gateway.limits import FairTurns
from services.gateway.streams.heads import Heads
from services.gateway.streams.joins import Joins
from services.gateway.streams.port import News, Stream, news_of

INBOX: Final = str(InboxName())
WORK_KNOWN: Final = 50_000
"""Work items whose holders are remembered; the end of one forgotten shows in REST alone."""

Holders: TypeAlias = frozenset[PersonId]
"""The agent, and a senior beside him (B42)."""

SETTLED: Final[Holders] = frozenset()

JOIN_LIMIT: Final = 1_000
"""Events held while a snapshot is fetched; one more and its join fails."""


class InboxSubscription(Subscription):
    """A person's inbox on one socket.

    `held` keeps events while a snapshot is fetched; None when none is, or when too many came.
    `live` is set by the first snapshot.
    """

    __slots__ = ("held", "live")

    def __init__(self, socket: SocketSession, kind: StreamKind) -> None:
        super().__init__(socket, INBOX, kind)
        self.held: list[bytes] | None = None
        self.live = False


class InboxStream(Stream[InboxName, News]):
    """Every inbox that is watched here."""

    names = InboxName

    def __init__(
        self,
        hub: Hub,
        joins: Joins,
        heads: Heads,
        *,
        history: HistoryClient,
        turns: FairTurns,
    ) -> None:
        self._hub = hub
        self._heads = heads
        self._joins = joins
        self._history = history
        self._turns = turns
        self._holders: OrderedDict[WorkId, Holders] = OrderedDict()

    @override
    def subscribe(
        self, socket: SocketSession, name: InboxName, *, frame_id: str | None, position: object
    ) -> None:
        """Join, or share the join that is under way; a live inbox joins anew."""
        del name, position  # there is one inbox, and it has no position (H12)
        inbox = inbox_of(socket)
        if inbox is None:
            inbox = InboxSubscription(socket, self)
            self._hub.attach(inbox)
            if not socket.person.is_buyer:
                self._heads.open(socket.person.subject)
        joining = bool(inbox.owed)
        inbox.owed = (*inbox.owed, frame_id)
        if not joining:
            inbox.held = []
            work, failed = self._join(inbox), partial(self._failed, inbox)
            self._joins.spawn(self._joins.run(inbox, work, failed=failed))

    @override
    def unsubscribe(self, socket: SocketSession, name: InboxName) -> None:
        """Leave the inbox, if it is watched."""
        del name
        inbox = inbox_of(socket)
        if inbox is not None:
            self._joins.end(inbox)

    @override
    def leave(self, subscription: Subscription) -> None:
        """With a person's last inbox his rows are forgotten."""
        person = subscription.socket.person.subject
        if not any(inbox_of(socket) for socket in self._hub.of([person])):
            self._heads.close(person)

    async def push(self) -> None:
        """Send rows that changed since to their owners, each whole; ask for those not known yet."""
        self._heads.again()
        for row in list(self._heads.changed.values()):
            inboxes = [inbox_of(socket) for socket in self._hub.of([row.owner])]
            live = [inbox for inbox in inboxes if inbox is not None and inbox.live]
            if any(inbox.held is not None for inbox in live):
                continue  # the event that gives him the row may wait there, so its words do too
            del self._heads.changed[row.key]
            if live:
                frame = server.patch(INBOX, server.json(row.shown()), key=row.key)
                for inbox in live:
                    inbox.socket.patch(INBOX, frame, key=row.key)

    @override
    def deliver(self, told: News) -> None:
        """Deliver to subscribed inboxes; while a snapshot is fetched, hold it."""
        frames: dict[bool, bytes] = {}
        for socket in self._hub.of(told.people):
            inbox = inbox_of(socket)
            if inbox is None:
                continue
            buyer = socket.person.is_buyer
            frame = frames.get(buyer)
            if frame is None:
                body = told.buyer if buyer else told.staff
                if body is None:
                    continue
                frame = frames[buyer] = server.event(INBOX, body)
            self._deliver(inbox, frame)

    @override
    async def refill(self, socket: SocketSession) -> None:
        """Events of a full queue are gone, and no position leads back to them."""
        inbox = inbox_of(socket)
        if inbox is not None and inbox.live:
            socket.answer(server.resync(INBOX, "slow_reader"))

    @override
    def hears(self) -> Hearers:
        """Return that waits and work concern the agents who have them, and a state whose it is."""
        return {ALERTS: self._alert, WORK: self._work, STAFF: self._state}

    def _alert(self, record: Record) -> None:
        event = contracts.decode(record)
        if isinstance(event, WaitingThresholdPassed):
            self.deliver(news_of({event.agent_id}, event=event))

    def _state(self, record: Record) -> None:
        """Tell a person his own state, whichever device or leader set it; colleagues ask for it."""
        event = contracts.decode(record)
        if isinstance(event, AgentStateChanged):
            self.deliver(news_of({event.agent_id}, event=event, version=event.version))

    def _work(self, record: Record) -> None:
        event: Event = contracts.decode(record)
        if isinstance(event, WorkAssigned):
            self._assigned(event)
        elif isinstance(event, WorkSettled | WorkSettledV2):
            holders = self._hold(event.work_id, SETTLED)
            self.deliver(news_of(holders, event=event, work_id=event.work_id))
        elif isinstance(event, WorkEscalated):
            holders = self._holders.get(event.work_id, SETTLED)
            self.deliver(news_of(holders, event=event, work_id=event.work_id))

    def _assigned(self, event: WorkAssigned) -> None:
        """Tell who holds it from now on, and who held it until now.

        What crossed its end in the log is nobody's any more: settled wins (B42).
        """
        if self._holders.get(event.work_id) == SETTLED:
            return
        now = frozenset(one for one in (event.agent_id, event.also) if one is not None)
        concerned = now | self._hold(event.work_id, now) | {event.previous_agent_id}
        news = news_of(concerned, event=event, version=event.version, work_id=event.work_id)
        self.deliver(news)

    def _hold(self, work_id: WorkId, holders: Holders) -> Holders:
        """Remember who holds it; return who did."""
        before = self._holders.get(work_id, SETTLED)
        self._holders[work_id] = holders
        if len(self._holders) > WORK_KNOWN:
            self._holders.popitem(last=False)
        return before

    def _deliver(self, inbox: InboxSubscription, frame: bytes) -> None:
        if inbox.held is not None:
            if len(inbox.held) < JOIN_LIMIT:
                inbox.held.append(frame)
                return
            self._release(inbox)
        if inbox.live:
            self._hub.offer(inbox.socket, frame)

    def _release(self, inbox: InboxSubscription) -> None:
        """Deliver what was held while a snapshot was fetched; from now on events come at once."""
        held, inbox.held = inbox.held, None
        if inbox.live:
            for frame in held or ():
                self._hub.offer(inbox.socket, frame)

    async def _join(self, inbox: InboxSubscription) -> None:
        socket = inbox.socket
        async with self._turns.of(socket.person.subject):
            inbox.check()  # who left while he waited costs nobody a question
            try:
                snapshot = await self._history.inbox(socket.person)
            except NotFound:
                raise Unavailable from None
        inbox.check()
        if inbox.held is None:  # too much came meanwhile
            raise Unavailable if inbox.live else NeedsSnapshot("slow_reader")
        shown = self._up_to_date(socket.person.subject, snapshot)
        for frame_id in inbox.take_owed():
            socket.answer(server.ok(frame_id, {"s": INBOX}))
        socket.answer(server.snap(INBOX, shown))
        inbox.live = True
        self._release(inbox)

    def _up_to_date(self, person: PersonId, snapshot: bytes) -> bytes:
        """Show each row as it stands by the log; an older service tells of none."""
        found = _inbox(snapshot)
        if found.rows is None:
            return snapshot
        told = _members(snapshot)
        if not self._heads.take(person, found.rows):
            told["stale"] = Raw(b"true")
        rows = self._heads.of(person)
        for one in found.conversations:
            row = rows.get(_text(one["id"]).encode())
            if row is not None and row.known:
                one |= {name: Raw(server.json(value)) for name, value in row.shown().items()}
        del told["rows"]
        return server.json(told | {"conversations": found.conversations})

    def _failed(self, inbox: InboxSubscription, error: Exception) -> None:
        """Go on as before: live with what was held meanwhile, or not at all."""
        if inbox.live:
            self._release(inbox)
            return
        self._hub.detach(inbox)
        if isinstance(error, NeedsSnapshot):
            inbox.socket.answer(server.resync(INBOX, error.reason))


_inbox: Final = msgspec.json.Decoder(Inbox).decode
_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_text: Final = msgspec.json.Decoder(str).decode


def inbox_of(socket: SocketSession) -> InboxSubscription | None:
    """Return the socket's subscription to its inbox, if there is one."""
    found = socket.subscriptions.get(INBOX)
    return found if isinstance(found, InboxSubscription) else None
