"""A conversation that somebody here watches: its facts from the log, and who is subscribed.

Applies lifecycle events by version (H7) and takes the owner from the higher of log and message
(H8). Knows no socket beyond its session, and no topic.
"""

from enum import IntEnum
from typing import Final, NamedTuple

import contracts
from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationQueued,
    ConversationReopened,
    ConversationTransferred,
    LateMessage,
    Lifecycle,
)
from contracts.people import ConversationId, PersonId, SenderKind
from contracts.visibility import BUYER_TYPES
from services.gateway.frames import notes, records
from services.gateway.frames.names import ConversationName
from services.gateway.frames.records import Entry, PoisonRecord, Spoken
from services.gateway.hub.heads import Row
from services.gateway.hub.session import SocketSession, StreamKind, Subscription

_BUYER_TYPES: Final = frozenset(name.encode() for name in BUYER_TYPES)


class SubscriptionState(IntEnum):
    """Whether a subscription may be given records as they come."""

    JOINING = 0
    LIVE = 1
    WITHHELD = 2


class ConversationSubscription(Subscription):
    """One socket's subscription to one conversation.

    `sent` is the highest offset that was written to the socket or waits in its queue. `looks`: on
    this screen somebody of staff said that he looks at it.
    """

    __slots__ = ("conversation", "looks", "sent", "state")

    def __init__(
        self, socket: SocketSession, conversation: "Conversation", kind: StreamKind
    ) -> None:
        super().__init__(socket, conversation.s, kind)
        self.conversation = conversation
        self.state = SubscriptionState.JOINING
        self.sent = -1
        self.looks = False

    @property
    def may_speak(self) -> bool:
        """Tell whether this person holds the conversation, as its buyer or as its agent."""
        person = self.socket.person
        held_by = self.conversation.buyer_id if person.is_buyer else self.conversation.owner_id
        return held_by == person.subject

    @property
    def may_note(self) -> bool:
        """Tell whether this person may write what staff alone see: whoever of them may see this."""
        return not self.socket.person.is_buyer

    @property
    def continue_in(self) -> str | None:
        """Return the conversation in which this person has to write instead, if he is its buyer."""
        return self.conversation.continue_in if self.socket.person.is_buyer else None


def subscription_to(socket: SocketSession, s: str) -> ConversationSubscription | None:
    """Return the socket's subscription to the conversation that `s` names, if there is one."""
    found = socket.subscriptions.get(s)
    return found if isinstance(found, ConversationSubscription) else None


class View(NamedTuple):
    """The body of an `ev`, as staff and as buyers see it; None: they do not."""

    staff: bytes
    buyer: bytes | None

    def of(self, subscription: ConversationSubscription) -> bytes | None:
        """Return what this subscription's person may see."""
        return self.buyer if subscription.socket.person.is_buyer else self.staff


class Conversation:
    """What is known here of one conversation. Facts come from the archive first, then the log.

    `assignment_version` is the version of the seat: the owner's assignment, or the close that ended
    it (H33). `continue_in` is where its buyer goes on, if it was closed long ago and he has another
    one open (H30); None as long as nobody has said so. `row` is what its owner's inbox shows of it,
    if that is open here.
    """

    __slots__ = (
        "assignment_version",
        "buyer_id",
        "continue_in",
        "generation",
        "key",
        "owner_id",
        "partition",
        "row",
        "s",
        "shop_id",
        "subscriptions",
        "version",
    )

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.s = str(ConversationName(ConversationId(key.decode())))
        self.subscriptions: list[ConversationSubscription] = []
        self.generation = 0
        self.partition = 0
        self.shop_id = ""
        self.buyer_id: PersonId | None = None
        self.owner_id: PersonId | None = None
        self.version = 0
        self.assignment_version = 0
        self.continue_in: str | None = None
        self.row: Row | None = None

    @property
    def owners(self) -> set[PersonId | None]:
        """Return who has it, by what is known of it here and by whose inbox shows it."""
        shown_to = None if self.row is None else self.row.owner
        return {self.owner_id, shown_to}

    def apply(self, event: Lifecycle) -> None:
        """Take over what the event says, unless something newer is known."""
        self.buyer_id = self.buyer_id or event.buyer_id
        if event.version <= self.version:
            return
        self.version = event.version
        match event:
            case LateMessage(continue_in=other):
                self.continue_in = other
            case (
                ConversationReopened()
                | ConversationQueued()
                | ConversationAssigned()
                | ConversationTransferred()
            ):
                self.continue_in = None  # it goes on here
        if event.version < self.assignment_version:
            return  # an agent's message told of a newer owner already
        match event:
            case ConversationAssigned(agent_id=owner) | ConversationTransferred(to_agent_id=owner):
                self.owner_id = owner
                if owner is not None:
                    self.assignment_version = event.version
            case ConversationQueued():
                self.owner_id = None
            case ConversationClosed():
                self.owner_id = None
                self.assignment_version = event.version

    def heard(self, said: Spoken) -> bool:
        """Take the owner from an agent's message; False if it came from a seat lost meanwhile."""
        seat_version = said.assignment_version
        if said.sender_kind != SenderKind.AGENT.value or seat_version is None:
            return True
        if seat_version < self.assignment_version:
            return False
        if seat_version > self.assignment_version:
            self.owner_id = PersonId(said.sender_id)
            self.assignment_version = seat_version
        return self.owner_id == said.sender_id

    def adopt(
        self,
        *,
        buyer: PersonId,
        owner: PersonId | None,
        version: int,
        assignment: int,
        continue_in: str | None = None,
    ) -> None:
        """Take over the archive's snapshot, unless the log has told something newer.

        Another conversation opens and closes without raising this one's version: of two snapshots
        of the same version the later one says where to go on. What the log told of this version
        may have been an event without an owner in it, so a snapshot of the same one says whose it
        is; a newer seat stands.
        """
        self.buyer_id = buyer
        if version >= self.version:
            self.continue_in = continue_in
        if version >= self.version and assignment >= self.assignment_version:
            self.owner_id = owner
            self.version = version
            self.assignment_version = assignment


def is_buyers(entry: Entry) -> bool:
    """Tell whether a buyer sees records of this type."""
    return entry.type in _BUYER_TYPES


def read_view(entry: Entry) -> View:
    """Return how an entry is shown that nobody has read yet. Raises `records.PoisonRecord`."""
    if entry.is_lifecycle:
        try:
            contracts.decode(entry)
        except (contracts.UnknownEvent, contracts.UnreadableEvent):
            raise PoisonRecord("lifecycle") from None
    else:
        notes.written(entry)
    return view(entry)


def view(entry: Entry, *, not_owner: bool = False) -> View:
    """Return how an entry is shown whose body was read. Raises `records.PoisonRecord`."""
    staff = records.body(entry, extra=b'"not_owner":true,' if not_owner else b"")
    if not is_buyers(entry):
        return View(staff, None)
    if not entry.is_lifecycle:
        return View(staff, staff)
    shown = records.shown_to_buyer(entry)
    return View(staff, staff if shown is entry else records.body(shown))
