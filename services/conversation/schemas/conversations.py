"""Conversations, inboxes and routing decisions on the wire."""

from pydantic import Field

from contracts.base import Moment
from contracts.people import AgentState, ConversationState, Stage
from kit.web.app import Body
from services.conversation.schemas import Code, LongText, View


class NewConversation(Body):
    """A buyer wants to talk. `topic` is the code of a skill group, else the facts decide."""

    topic: Code | None = None
    product: str = Field(default="", max_length=120)
    order_id: str | None = Field(default=None, max_length=64)


class Transfer(Body):
    """Hand a conversation on: to one person or to one group, and why.

    `force` is for leaders: to a colleague who has as many as he can take.
    """

    to_agent: str | None = Field(default=None, max_length=64)
    to_group: Code | None = None
    note: LongText
    force: bool = False


class Close(Body):
    """End a conversation."""

    reason: LongText = ""


class StageMove(Body):
    """Move a conversation along the reception pipeline."""

    stage: Stage


class Rating(Body):
    """The buyer's score."""

    score: int = Field(ge=1, le=5)


class BuyerView(View):
    """A buyer's profile; masked unless one works with him (P17)."""

    id: str
    name: str
    external_id: str | None = None
    phone: str = ""
    address: str = ""
    masked: bool


class ConversationView(View):
    """Where a conversation stands; `version` compares with the stream's events (H7)."""

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


class WorkView(View):
    """A work item as its agent's inbox shows it."""

    id: str
    kind: str
    order_id: str
    buyer_id: str
    due_at: Moment
    version: int


class InboxView(View):
    """A person's open conversations and work, each with its version (H12)."""

    conversations: tuple[ConversationView, ...]
    work: tuple[WorkView, ...]


class CandidateView(View):
    """An agent as routing saw him."""

    agent_id: str
    state: AgentState
    load: int
    capacity: int


class DecisionView(View):
    """Who was chosen, why, and among whom (C1)."""

    id: str
    at: Moment
    trigger: str
    reason: str
    agent_id: str | None
    candidates: tuple[CandidateView, ...]


class DecisionsView(View):
    """The latest decisions on a conversation, newest first."""

    items: tuple[DecisionView, ...]
