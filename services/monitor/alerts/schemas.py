"""Alerts over REST, and what people say of them."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contracts.base import Moment
from contracts.gateway import WordingHit
from contracts.monitor import NOTE_CHARS, AlertKind, Verdict
from contracts.people import ConversationId, PersonId
from kit.web.app import Body
from kit.web.paging import CURSOR_LIMIT, PAGE_DEFAULT, PAGE_LIMIT
from services.monitor.access.schemas import Answer
from services.monitor.alerts.domain import AlertState
from services.monitor.evidence.schemas import Confirmation

Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=NOTE_CHARS)]


class Opinion(Body):
    """What the caller makes of it."""

    verdict: Verdict
    note: Note = ""


class AlertQuery(Body):
    """Which alerts of the caller's shop.

    `after` is the id of one that is known: what came since is listed, and what is up to a minute
    older, for a message may be judged later than it was said.
    """

    after: str | None = Field(default=None, min_length=1, max_length=64)
    state: AlertState | None = None
    limit: int = Field(default=PAGE_DEFAULT, ge=1, le=PAGE_LIMIT)
    cursor: str | None = Field(default=None, max_length=CURSOR_LIMIT)


class Feedback(Answer):
    """Somebody's verdict on something held or flagged."""

    person_id: PersonId
    name: str
    verdict: Verdict
    note: str
    at: Moment


class Acknowledgement(Answer):
    """Who took care of an alert, when and how."""

    alert_id: str
    person_id: PersonId
    name: str
    verdict: Verdict
    note: str
    at: Moment


class AlertView(Answer):
    """Something that leaders are told: a threshold passed, a message flagged, or one held back.

    `id` is that of the flagged message, of the incident, or of the event that told of the wait.
    `person_id` is the sender; of a wait who had the buyer then, if anybody. `feedback` has the
    latest verdict of each person.
    """

    id: str
    kind: AlertKind
    at: Moment
    conversation_id: ConversationId
    person_id: PersonId | None
    speaker: Literal["agent", "buyer"] | None
    action: Literal["block", "confirm"] | None
    threshold_s: int | None
    categories: list[str]
    hits: list[WordingHit]
    text: str | None
    confirmed: Confirmation | None
    acknowledged: Acknowledgement | None
    feedback: list[Feedback]
