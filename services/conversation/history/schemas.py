"""History and seats on the wire: on the hot path, so msgspec; the views document them."""

from typing import Any

import msgspec

from contracts.base import Moment
from contracts.people import AgentState
from services.conversation.access.schemas import View


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record of the log, shaped like the frame `ev`; `d` is spliced in undecoded."""

    s: str
    position: tuple[int, int]
    id: str
    type: str
    time: str
    d: msgspec.Raw
    archived_at: str
    late: bool = False


class History(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of the history."""

    items: list[Item]
    next_cursor: str | None
    previous_cursor: str | None = None


class HistoryItemView(View):
    """A record of the log, shaped like the frame `ev`, and when it was archived.

    `late` marks what was written after the close and reopened nothing: by staff, or by a buyer who
    has another conversation open.
    """

    s: str
    position: tuple[int, int]
    id: str
    type: str
    time: Moment
    d: dict[str, Any]
    archived_at: Moment
    late: bool = False


class HistoryView(View):
    """A page of the history.

    One around a message goes on both ways: `previous_cursor`, where there is more, is asked for in
    the other `order`.
    """

    items: list[HistoryItemView]
    next_cursor: str | None = None
    previous_cursor: str | None = None


class Mark(msgspec.Struct, frozen=True):
    """Below this offset of the partition everything is archived or set aside."""

    partition: int
    generation: int
    offset: int


class Member(msgspec.Struct, frozen=True):
    """Somebody who takes part."""

    person_id: str
    role: str


class ReadUpTo(msgspec.Struct, frozen=True):
    """How far a conversation was read: by its buyer, and by who owns it now; None: never."""

    buyer: tuple[int, int] | None
    owner: tuple[int, int] | None


class Attached(msgspec.Struct, frozen=True):
    """What the gateway needs to seat somebody: all of it of one moment.

    `seat` is `buyer`, `owner` or `watcher`; a watcher reads. `items` are oldest first. `resync`
    tells that the history is too long to be continued from the position asked for. `continue_in`
    is set where the conversation is closed and its buyer has another one open.
    """

    conversation: msgspec.Raw
    seat: str
    members: list[Member]
    version: int
    assignment_version: int
    mark: Mark
    items: list[Item]
    read: ReadUpTo
    resync: bool = False
    continue_in: str | None = None


class FoundMessage(View):
    """Whether and how a message id stands in the archive."""

    found: bool
    body_hash: str | None = None
    position: tuple[int, int] | None = None


class CandidateView(View):
    """An agent as routing saw him."""

    agent_id: str
    state: AgentState
    load: int
    capacity: int


class DecisionView(View):
    """Who was chosen, why, and among whom."""

    id: str
    at: Moment
    trigger: str
    reason: str
    agent_id: str | None
    candidates: tuple[CandidateView, ...]


class DecisionsView(View):
    """The latest decisions on a conversation, newest first."""

    items: tuple[DecisionView, ...]
