"""Search on the wire."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from contracts.base import Moment
from contracts.people import SenderKind
from kit.web.app import Body
from kit.web.paging import CURSOR_LIMIT
from services.conversation.access.schemas import View
from services.conversation.conversations.schemas import ConversationView

QUERY_MOST = 64
HITS_MOST = 50

_UUID = r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"


class SearchQuery(Body):
    """What is looked for: all of these words, in messages of these days, said by this person."""

    q: str = Field(min_length=2, max_length=QUERY_MOST)
    since: AwareDatetime | None = Field(default=None, alias="from")
    till: AwareDatetime | None = Field(default=None, alias="to")
    agent: Annotated[str, Field(pattern=_UUID)] | None = None
    limit: int = Field(default=HITS_MOST, ge=1, le=HITS_MOST)
    cursor: Annotated[str, Field(min_length=1, max_length=CURSOR_LIMIT)] | None = None


class HitView(View):
    """A message that has the words. `excerpt` is its part around them, on one line."""

    message_id: str
    conversation_id: str
    position: tuple[int, int]
    at: Moment
    by: SenderKind | None = Field(description="null: a note that staff alone see")
    sender_id: str
    excerpt: str


class FoundView(View):
    """Messages that have the words, newest first, and the conversations that they stand in.

    `partial`: the time was up before everything was looked at; the cursor goes on.
    `indexed_through`: all that was said through that moment can be found; null: nobody knows.
    """

    items: tuple[HitView, ...]
    conversations: tuple[ConversationView, ...]
    next_cursor: str | None
    partial: bool
    indexed_through: Moment | None
