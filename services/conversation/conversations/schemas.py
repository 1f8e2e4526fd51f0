"""Conversations on the wire."""

from contracts.base import Moment
from contracts.people import ConversationState, SenderKind, Stage
from services.conversation.access.schemas import View


class BuyerView(View):
    """A buyer's profile; masked unless one works with him."""

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


class HeadView(View):
    """The last words of a conversation: 60 characters on one line, of an image or a card none."""

    position: tuple[int, int]
    by: SenderKind
    kind: str
    preview: str
    at: Moment


class ConversationView(View):
    """Where a conversation stands; `version` compares with the stream's events.

    `agent` and `ahead` are for the buyer who reads his conversation: who serves him, and while
    nobody does how many are before him, 100 at most. `head` is for staff who read a list.
    Everywhere else they are null.
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
    subject: str
    order_id: str | None
    opened_at: Moment
    waiting_since: Moment | None
    closed_at: Moment | None
    score: int | None
    agent: ServedBy | None = None
    ahead: int | None = None
    head: HeadView | None = None
