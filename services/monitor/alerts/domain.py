"""The words of alerts: what was told, what was made of it, who took care of it. Pure values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from contracts.monitor import AlertKind, Verdict
from contracts.people import ConversationId, PersonId, ShopId

LISTED_MS: Final = 7 * 86_400_000
"""How far back alerts are listed: what nobody took care of for a week is no news."""

LATE_MS: Final = 60_000
"""A list behind an alert begins so much before it: what was said earlier may be judged later."""


class AlertState(StrEnum):
    """Which alerts are asked for."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"


class Place(NamedTuple):
    """The last alert of a page."""

    at_ms: int
    id: str


class Subject(NamedTuple):
    """What an alert is about. `person_id` wrote it, or is the one whom the buyer waits for."""

    id: str
    kind: AlertKind
    shop_id: ShopId
    conversation_id: ConversationId
    person_id: PersonId | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class Told:
    """An alert as it is stored; what its kind has not is None or empty."""

    subject: Subject
    speaker: str | None
    action: str | None
    threshold_s: int | None
    categories: tuple[str, ...]
    hits: tuple[dict[str, Any], ...]
    text: str | None

    @property
    def id(self) -> str:
        """Its name: that of the message, of the incident, or of the wait and its threshold."""
        return self.subject.id


class Judgement(NamedTuple):
    """What somebody made of something held or flagged."""

    subject_id: str
    person_id: PersonId
    name: str
    verdict: Verdict
    note: str
    at_ms: int


class Acknowledged(NamedTuple):
    """Who took care of an alert first, and how."""

    alert_id: str
    person_id: PersonId
    name: str
    verdict: Verdict
    note: str
    at_ms: int
