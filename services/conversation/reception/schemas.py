"""What a reception's commands say."""

from pydantic import Field

from contracts.people import Stage
from kit.web.app import Body
from services.conversation.access.schemas import Code, LongText


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


class Taking(Body):
    """Take a conversation oneself; the note is for the colleague who loses it, and mandatory then.

    `force` is for leaders: beyond their own capacity.
    """

    note: LongText = ""
    force: bool = False


class GiveBack(Body):
    """Give a conversation back to its queue; the note is for whoever gets it next."""

    note: LongText = ""


class Close(Body):
    """End a conversation."""

    reason: LongText = ""


class StageMove(Body):
    """Move a conversation along the reception pipeline."""

    stage: Stage


class Rating(Body):
    """The buyer's score."""

    score: int = Field(ge=1, le=5)
