"""Events the gateway produces: chat messages, incidents of the wording gate, presence, signals."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, ClassVar, Final, Literal

from pydantic import Field
from typing_extensions import override

from contracts.base import Event, Part
from contracts.people import ConversationId, MessageId, PersonId, Role, SenderKind, ShopId
from contracts.topics import CHAT, INCIDENTS, PRESENCE, SIGNALS, Topic

WORDING: Final = "ce_wording"
"""The header of a chat message that says by which rules the gate found nothing in its words.

Whoever judges by the same rules need not judge again. Where it is missing nothing is said: the gate
judges agents alone, what it found somebody else has to find as well, and older gateways wrote none.
"""

CLEARED_KEPT: Final = 1_024
"""Values of that header that are kept ready: one for each shop whose agents write."""


@lru_cache(CLEARED_KEPT)
def cleared(lexicon_version: str, policy_version: str) -> bytes:
    """Return the header `ce_wording` of words in which these rules found nothing.

    It is compared as a whole and never taken apart: what a later release may add to it is another
    value, and judged again.
    """
    return f"clean {lexicon_version} {policy_version}".encode()


class ChatMessage(Event):
    """A message was accepted by a gateway. `id` is the message id, `time` the receive time.

    `d` is `{"text": ...}` for text, `{"url", "alt"?}` for an image, for a card what its kind
    says (`contracts.cards`), else free JSON with a `text` for whoever does not know it.
    `assignment_version` is the version of the seat an agent wrote from, absent for buyers.
    `body_hash` is the hex BLAKE2b-128 of kind and canonical `d`.
    The header `ce_wording` may say by which rules the gate found nothing in an agent's words.
    """

    topic: ClassVar[Topic] = CHAT
    type: ClassVar[str] = "chat.message.v1"
    source: ClassVar[str] = "gateway"

    conversation_id: ConversationId
    sender_id: PersonId
    sender_kind: SenderKind
    client_id: str
    kind: Literal["text", "image", "card"]
    d: dict[str, Any]
    body_hash: str
    assignment_version: int | None = None
    confirmed: bool = False

    @property
    @override
    def key(self) -> str:
        """One conversation, one order."""
        return self.conversation_id


class NoteWritten(Event):
    """Somebody of staff wrote a note that no buyer sees. `id` is made as a message's.

    `to` is the colleague whom it is meant for; the others may read it too. `body_hash` is made as a
    message's of the kind `note`. It asks for no seat, answers nobody and reopens nothing.
    """

    topic: ClassVar[Topic] = CHAT
    type: ClassVar[str] = "chat.note.v1"
    source: ClassVar[str] = "gateway"

    conversation_id: ConversationId
    author_id: PersonId
    author_name: str
    client_id: str
    text: str
    to: PersonId | None = None
    body_hash: str

    @property
    @override
    def key(self) -> str:
        """One conversation, one order."""
        return self.conversation_id


class WordingHit(Part):
    """One finding of the wording engine; offsets are code points in the original text."""

    category: str
    severity: str
    term_id: str
    start: int
    end: int
    surface: str
    normalised: str
    why: str
    action: str


class MessageHeld(Event):
    """The gate blocked an agent's message or asked for confirmation; the buyer never saw it."""

    topic: ClassVar[Topic] = INCIDENTS
    type: ClassVar[str] = "wording.message_held.v1"
    source: ClassVar[str] = "gateway"

    conversation_id: ConversationId
    agent_id: PersonId
    client_id: str
    action: Literal["block", "confirm"]
    text: str
    hits: tuple[WordingHit, ...]
    lexicon_version: str
    policy_version: str

    @property
    @override
    def key(self) -> str:
        """One conversation, one order."""
        return self.conversation_id


REASON_CHARS: Final = 200
"""Characters (code points) of the reason for which an agent says what the gate asked about."""


class WordingConfirmed(Event):
    """An agent means what the gate asked about; `incident_id` is the question.

    It stands in its log before the message is handed to its own, so a message with `confirmed` has
    one; a message may be missing behind it, where its gateway ended between the two. `id` is the
    same for each repeat: the first reason stands. None: a client of an older release gave none.
    """

    topic: ClassVar[Topic] = INCIDENTS
    type: ClassVar[str] = "wording.confirmed.v1"
    source: ClassVar[str] = "gateway"

    message_id: MessageId
    incident_id: str
    conversation_id: ConversationId
    agent_id: PersonId
    reason: str | None = Field(default=None, min_length=1, max_length=REASON_CHARS)
    hits: tuple[WordingHit, ...]
    lexicon_version: str

    @property
    @override
    def key(self) -> str:
        """One conversation, one order."""
        return self.conversation_id


class SignalSent(Event):
    """Somebody is typing or has read up to a position. Lossy."""

    topic: ClassVar[Topic] = SIGNALS
    type: ClassVar[str] = "chat.signal.v1"
    source: ClassVar[str] = "gateway"

    conversation_id: ConversationId
    person_id: PersonId
    signal: Literal["typing", "read"]
    position: tuple[int, int] | None = None

    @property
    @override
    def key(self) -> str:
        """One conversation, one order."""
        return self.conversation_id


class StaffSignal(Event):
    """Somebody of staff looks at a conversation, or has read one that he does not own. Lossy.

    A type of its own, so that a gateway which does not know it shows a buyer neither. `viewing` is
    said again while it lasts, with `on` false when it is over; `read` has a `position`.
    """

    topic: ClassVar[Topic] = SIGNALS
    type: ClassVar[str] = "chat.signal.v2"
    source: ClassVar[str] = "gateway"

    conversation_id: ConversationId
    person_id: PersonId
    signal: Literal["viewing", "read"]
    on: bool | None = None
    position: tuple[int, int] | None = None

    @property
    @override
    def key(self) -> str:
        """One conversation, one order."""
        return self.conversation_id


class Connected(Part):
    """One person with at least one open socket on the gateway that reports."""

    person_id: PersonId
    shop_id: ShopId
    role: Role


class PresenceReported(Event):
    """Everybody connected to one gateway, every ten seconds; `shop_id` is the platform's."""

    topic: ClassVar[Topic] = PRESENCE
    type: ClassVar[str] = "presence.reported.v1"
    source: ClassVar[str] = "gateway"

    gateway_id: str
    people: tuple[Connected, ...] = Field(max_length=20_000)
    leaving: bool = False

    @property
    @override
    def key(self) -> str:
        """Latest report of one gateway wins."""
        return self.gateway_id


def words_of(kind: str, d: object) -> Iterator[str]:
    """Yield what a message's body says: its text, an image's `alt`, every key and string of a card.

    The gate judges these before a buyer sees them, the monitor what was said: the same words.
    """
    if kind != "card":
        said = d.get("text" if kind == "text" else "alt") if isinstance(d, dict) else None
        if isinstance(said, str):
            yield said
        return
    waiting: list[Iterator[object]] = [iter((d,))]
    while waiting:
        for part in waiting[-1]:
            if isinstance(part, str):
                yield part
            elif isinstance(part, list):
                waiting.append(iter(part))
                break
            elif isinstance(part, dict):
                waiting.append(chain.from_iterable(part.items()))
                break
        else:
            waiting.pop()
