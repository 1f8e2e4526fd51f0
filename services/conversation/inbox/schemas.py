"""Inboxes on the wire, and what the gateway goes on from; the latter as msgspec."""

from datetime import datetime
from typing import Any

import msgspec

from contracts.base import Moment
from services.conversation.access.schemas import View
from services.conversation.conversations.schemas import ConversationView

Position = tuple[int, int]


class SubjectView(View):
    """What a work item is about: an order, unless its owner says another kind."""

    kind: str
    id: str


class WorkView(View):
    """A work item as the inbox of whoever holds it shows it.

    `agent_id` has it, none while it waits for one; `also` is the senior who holds it beside him.
    """

    id: str
    kind: str
    subject: SubjectView
    order_id: str | None
    buyer_id: str | None
    due_at: Moment
    level: int
    agent_id: str | None
    also: str | None
    version: int


class OfferView(View):
    """A colleague's buyer whom one is asked to answer, until when, and before which limit."""

    id: str
    conversation: ConversationView
    from_agent_id: str
    waiting_since: Moment
    breach_at: Moment
    expires_at: Moment


class InboxView(View):
    """A person's open conversations and work, each with its version, and what he is asked."""

    conversations: tuple[ConversationView, ...]
    work: tuple[WorkView, ...]
    offers: tuple[OfferView, ...] = ()


class Row(msgspec.Struct, frozen=True):
    """Where a conversation stands for who owns it, as of the archive's mark of its partition.

    Everything below `mark` is in it; who has the log goes on from there. `unseen` are places of the
    buyer's words that the owner has neither read nor answered, the latest hundred. `seat` is the
    newest version that the log told of a seat.
    """

    id: str
    owner: str
    version: int
    head: dict[str, Any] | None
    waiting_since: datetime | None
    position: Position | None
    first: bool
    seat: int
    read_up_to: Position | None
    unseen: list[list[int]]
    partition: int
    mark: Position


class Inbox(msgspec.Struct, frozen=True):
    """An inbox for the gateway: what is shown, and the rows that it keeps up to date."""

    conversations: msgspec.Raw
    work: msgspec.Raw
    rows: list[Row]
    offers: msgspec.Raw = msgspec.Raw(b"[]")


class Rows(msgspec.Struct, frozen=True):
    """Rows of conversations that somebody owns; those that nobody owns are missing."""

    rows: list[Row]
