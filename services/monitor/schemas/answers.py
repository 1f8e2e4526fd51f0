"""What the monitor answers over REST. Durations are whole milliseconds; sums stand beside counts.

Must not know where the figures come from.
"""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from contracts.base import Moment
from contracts.gateway import WordingHit
from contracts.monitor import AgentTile, BoardPublished, ResponseFigures, WaitingBuyer
from contracts.people import ConversationId, MessageId, PersonId, ShopId

__all__ = [
    "AgentTile",
    "Board",
    "Figures",
    "FiguresRow",
    "Flag",
    "Incident",
    "ResponseFigures",
    "Waiting",
    "WaitingBuyer",
]


class Answer(BaseModel):
    """What every answer shares."""

    model_config = ConfigDict(frozen=True)


class Board(BoardPublished):
    """The supervisor board of one shop, as it is pushed on `monitor:<shop>`.

    A subclass without a `type` of its own, so that it is no second event.
    """


class FiguresRow(Answer):
    """One row of figures. `agent_id` is null for the whole shop and for what nobody owned.

    Averages follow from the sums: `round_ms / rounds`, `first_response_ms / first_responses`,
    `first_within / sessions`, `within / rounds`. Percentiles are exact.
    """

    agent_id: PersonId | None
    rounds: int
    round_ms: int
    unanswered: int
    within: int
    slow: int
    sessions: int
    first_responses: int
    first_response_ms: int
    first_within: int
    round_p50_ms: int | None
    round_p90_ms: int | None
    round_p95_ms: int | None
    round_max_ms: int | None
    buyers: int
    buyers_unanswered: int
    buyers_late: int


class Figures(Answer):
    """Figures of `[from, to)` under one profile.

    Rounds count by the moment they opened, sessions by their start. `open_rounds` are waiting and
    not judged yet: they count nowhere.
    """

    shop_id: ShopId
    profile: str
    effective_from: list[date]
    within_ms: int
    slow_ms: int
    first_within_ms: int
    time_zone: str
    start: Moment
    end: Moment
    as_of: Moment | None
    open_rounds: int
    by: Literal["shop", "agent"]
    rows: list[FiguresRow]


class Flag(Answer):
    """A delivered message that breaks a wording rule."""

    message_id: MessageId
    conversation_id: ConversationId
    sender_id: PersonId
    speaker: Literal["agent", "buyer"]
    at: Moment
    categories: list[str]
    hits: list[WordingHit]
    lexicon_version: str
    policy_version: str


class Incident(Answer):
    """A message that the gate kept from the buyer, with its evidence."""

    incident_id: str
    conversation_id: ConversationId
    agent_id: PersonId
    client_id: str
    action: Literal["block", "confirm"]
    text: str
    categories: list[str]
    hits: list[WordingHit]
    lexicon_version: str
    policy_version: str
    held_at: Moment
    stored_at: Moment


class Waiting(Answer):
    """Buyers who wait for an answer now, longest first."""

    as_of: Moment | None
    waiting: int
    items: list[WaitingBuyer]
