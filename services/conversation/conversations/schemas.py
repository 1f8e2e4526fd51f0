"""Conversations on the wire."""

from contracts.base import Moment
from contracts.people import ConversationState, Stage
from services.conversation.access.schemas import View


class BuyerView(View):
    """A buyer's profile; masked unless one works with him."""

    id: str
    name: str
    external_id: str | None = None
    phone: str = ""
    address: str = ""
    masked: bool


class ConversationView(View):
    """Where a conversation stands; `version` compares with the stream's events."""

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
