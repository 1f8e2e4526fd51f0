"""Buyers who were found, on the wire."""

from pydantic import Field

from kit.web.app import Body
from services.conversation.access.schemas import View
from services.conversation.conversations.schemas import BuyerView, ConversationView

BUYERS_MOST = 20
"""Buyers in an answer; with more, somebody has to know more of whom he looks for."""


class BuyerQuery(Body):
    """Whom somebody looks for: the beginning of a name, or a whole phone."""

    q: str = Field(min_length=1, max_length=64)


class FoundBuyer(View):
    """A buyer, masked, and the conversation that he has open, else his latest."""

    buyer: BuyerView
    conversation: ConversationView | None


class FoundBuyers(View):
    """Buyers by name; `more`: there are others whom these words mean."""

    items: tuple[FoundBuyer, ...]
    more: bool
