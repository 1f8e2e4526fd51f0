"""Conversations on the wire."""

from datetime import datetime
from typing import Protocol

from contracts.base import Moment
from contracts.people import AssignmentMode, ConversationState, SenderKind, Stage
from services.conversation.access.schemas import View


class BuyerView(View):
    """A buyer's profile, masked for everybody but himself: `reveal` shows it."""

    id: str
    name: str
    external_id: str | None = None
    phone: str = ""
    address: str = ""
    masked: bool


class ServedBy(View):
    """Who serves a buyer, and whether he is at his desk."""

    name: str
    online: bool


class LastWords(Protocol):
    """The last words of a conversation, as the archive has them."""

    @property
    def place(self) -> tuple[int, int]: ...
    @property
    def by(self) -> SenderKind: ...
    @property
    def kind(self) -> str: ...
    @property
    def preview(self) -> str: ...
    @property
    def at(self) -> datetime: ...


class HeadView(View):
    """The last words of a conversation: 60 characters on one line, of an image or a card none."""

    position: tuple[int, int]
    by: SenderKind
    kind: str
    preview: str
    at: Moment

    @classmethod
    def of(cls, head: "LastWords") -> "HeadView":
        """Show last words."""
        return cls(
            position=head.place, by=head.by, kind=head.kind, preview=head.preview, at=head.at
        )


class RoundView(View):
    """A buyer who waits: since when, where the log tells of it, whether for a first reply."""

    opened_at: Moment
    position: tuple[int, int]
    first: bool


class ConversationView(View):
    """Where a conversation stands; `version` compares with the stream's events.

    `agent` and `ahead` are for the buyer who reads his conversation: who serves him, and while
    nobody does how many are before him, 100 at most. `head` is for staff who read a list, `mode`
    for staff: how its agent got it. `unread` (99 at most) and `read_up_to` are for who owns it and
    reads his inbox; `round` is there too, and for staff in lists by `view` or `ids`: null says
    there that nobody waits. Everywhere else they are null.
    """

    id: str
    shop_id: str
    buyer_id: str
    buyer: BuyerView
    skill_group_id: str
    state: ConversationState
    stage: Stage
    version: int
    assignment_version: int
    agent_id: str | None
    mode: AssignmentMode | None = None
    subject: str
    order_id: str | None
    opened_at: Moment
    waiting_since: Moment | None
    closed_at: Moment | None
    score: int | None
    agent: ServedBy | None = None
    ahead: int | None = None
    head: HeadView | None = None
    round: RoundView | None = None
    unread: int | None = None
    read_up_to: tuple[int, int] | None = None
